/**
 * Functions that are compiled with their file. V8 reads a function over when it loads a file, and reads it again when the
 * function is first called; one that stands in parentheses it compiles at once. For what runs at every start that is a few
 * milliseconds less; for what does not it would be as much more, so each role has a list, and another one of what runs
 * only where a launch loads more than its role.
 */

import { type FunctionDeclaration, parse, type Program } from "acorn";

/** Stands in a function from the source to the end of the build: bundlers keep what could be a directive. */
const MARK = '"@early";';
/** In one that is compiled early only where it stands in a file that is loaded later. */
const LATER_MARK = '"@later";';

/** Marks the functions with these names, where they stand at the top of a file. */
export function markFunctions(
  code: string,
  names: ReadonlySet<string>,
  later: ReadonlySet<string> = new Set(),
): string {
  return insertFirst(code, (name) => {
    if (names.has(name)) return MARK;
    return later.has(name) ? LATER_MARK : undefined;
  });
}

/** Lets every function at the top of a file tell what {@link recorderFor} gives when it runs. */
export function recordFunctions(code: string, file: string): string {
  return insertFirst(
    code,
    (name) => `globalThis.__ran?.(${JSON.stringify(`${file} ${name}`)});`,
  );
}

/**
 * What a role's file begins with whose functions tell when they run: a line is added to the file `path` for each. Once it is
 * confined the program may not write there, and goes on: what it still calls then is known from starts without a sandbox.
 */
export function recorderFor(role: string, path: string): string {
  return `globalThis.__ran??=(seen=>name=>{if(seen.has(name))return;seen.add(name);try{Deno.writeTextFileSync(${
    JSON.stringify(path)
  },${
    JSON.stringify(`${role} `)
  }+name+"\\n",{append:true,create:true})}catch{}})(new Set());\n`;
}

/** Moves marked functions to the beginning of a module, in parentheses: they are there before anything else, as functions are. */
export function compileEarly(
  code: string,
  { isLater = false }: { readonly isLater?: boolean } = {},
): string {
  const marks = isLater ? [MARK, LATER_MARK] : [MARK];
  const moved: string[] = [];
  const kept: string[] = [];
  let at = 0;
  for (const node of functionsOf(parseModule(code))) {
    const first = node.body.start + 1;
    if (!marks.some((mark) => code.startsWith(mark, first))) continue;
    const kind = `${node.async ? "async " : ""}function${
      node.generator ? "*" : ""
    }`;
    const rest = code.slice(node.id.end, node.end);
    moved.push(`${node.id.name}=(${kind}${rest})`);
    kept.push(code.slice(at, node.start));
    at = node.end;
  }
  kept.push(code.slice(at));
  const start = moved.length === 0 ? "" : `var ${moved.join(",")};\n`;
  return (start + kept.join("")).replaceAll(MARK, "")
    .replaceAll(LATER_MARK, "");
}

type Named = FunctionDeclaration;

function parseModule(code: string): Program {
  return parse(code, { ecmaVersion: "latest", sourceType: "module" });
}

/** Functions that are declared at the top of a module and not exported there. */
function functionsOf(program: Program): Named[] {
  return program.body.filter((node) => node.type === "FunctionDeclaration");
}

function insertFirst(
  code: string,
  textFor: (name: string) => string | undefined,
): string {
  const parts: string[] = [];
  let at = 0;
  for (const node of parseModule(code).body) {
    const declared = node.type === "ExportNamedDeclaration"
      ? node.declaration
      : node;
    if (declared?.type !== "FunctionDeclaration") continue;
    const text = textFor(declared.id.name);
    if (text === undefined) continue;
    const start = declared.body.start + 1;
    parts.push(code.slice(at, start), text);
    at = start;
  }
  return parts.join("") + code.slice(at);
}
