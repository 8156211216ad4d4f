/** The name by which this program was called. Imports nothing: its file is loaded before any other, at every start. */

const SEPARATOR = Deno.build.os === "windows" ? /[/\\]/ : "/";

/** The last part of argv[0], without `.exe`. Linux: /proc/self/cmdline; macOS: `_NSGetArgv`; Windows: the executable's own name. */
export function calledAs(): string {
  const parts = argv0().split(SEPARATOR);
  const name = parts.findLast((part) => part !== "") ?? "";
  return name.replace(/\.exe$/i, "");
}

function argv0(): string {
  if (Deno.build.os === "linux") {
    const [name] = Deno.readTextFileSync("/proc/self/cmdline").split("\0", 1);
    return name || Deno.execPath();
  }
  return Deno.build.os === "darwin" ? darwinArgv0() : Deno.execPath();
}

function darwinArgv0(): string {
  const library = Deno.dlopen("/usr/lib/libSystem.B.dylib", {
    _NSGetArgv: { parameters: [], result: "pointer" },
  });
  // char ***: the address of the process's argv.
  const address = library.symbols._NSGetArgv();
  const argv = address && new Deno.UnsafePointerView(address).getPointer();
  const first = argv && new Deno.UnsafePointerView(argv).getPointer();
  return first
    ? new Deno.UnsafePointerView(first).getCString()
    : Deno.execPath();
}
