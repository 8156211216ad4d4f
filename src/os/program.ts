/** This program's own call and end. Imports nothing: the role is decided before anything is loaded. */

/** The command line without the program's name. */
export function programArguments(): readonly string[] {
  return Deno.args;
}

/** Ends the process. */
export function exit(code: number): never {
  Deno.exit(code);
}
