/** Descriptors that this process was given by whoever started it. */
import { closeOnExec } from "./c_process.ts";

const FIRST_OWN = 3;

/** Lets no program that is started from now on inherit anything but standard input, output and error. */
export function keepInherited(): void {
  const places = ["/proc/self/fd", "/dev/fd"];
  for (const place of Deno.build.os === "linux" ? places.slice(0, 1) : places) {
    for (const { name } of list(place)) {
      if (Number(name) >= FIRST_OWN) closeOnExec(Number(name));
    }
  }
}

function list(directory: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
