import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { run } from "../../tests/support/process.ts";
import { TempDir } from "../../tests/support/temp.ts";
import type { Program } from "./exec.ts";

const EXEC = new URL("./exec.ts", import.meta.url).href;
const ERRORS = new URL("../base/errors.ts", import.meta.url).href;
const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname);

/** Becomes the program; when it cannot, prints the error's code and message and exits with 99. */
const SCRIPT = `
import { becomeProgram } from ${JSON.stringify(EXEC)};
import { AppError } from ${JSON.stringify(ERRORS)};
const program = JSON.parse(Deno.args[0]);
if (program.longArgument) program.args = ["x".repeat(10_000_000)];
try {
  becomeProgram(program);
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  console.log(error.code + " " + error.message);
  Deno.exit(99);
}
`;

function command(program: Program | object): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", SCRIPT, JSON.stringify(program)],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
}

async function become(program: Program | object, stdin = "") {
  const args = ["eval", "--ext=ts", SCRIPT, JSON.stringify(program)];
  const env = Deno.env.toObject();
  return await run(Deno.execPath(), args, { cwd: ROOT, env, stdin });
}

function sh(script: string, more: Partial<Program> = {}): Program {
  return { path: "/bin/sh", args: ["-c", script], env: {}, ...more };
}

const posix = { ignore: Deno.build.os === "windows" };

Deno.test("becomeProgram() keeps the process id", posix, async () => {
  const child = command(sh("echo $$")).spawn();
  const { pid } = child;
  const output = await child.output();
  strictEqual(new TextDecoder().decode(output.stdout), `${pid}\n`);
});

Deno.test(
  "becomeProgram() passes exit code, standard input and arguments through",
  posix,
  async () => {
    const args = [
      "-c",
      'cat; printf "<%s>" "$@"; exit 7',
      "zero",
      "",
      "a b",
      "é\n",
    ];
    const { code, stdout } = await become(sh("", { args }), "input");
    strictEqual(stdout, "input<><a b><é\n>");
    strictEqual(code, 7);
  },
);

Deno.test(
  "becomeProgram() gives exactly the environment it is told",
  posix,
  async () => {
    const program = {
      path: "/usr/bin/env",
      args: [],
      env: { A: "1=2", B: "" },
    };
    const { stdout } = await become(program);
    deepStrictEqual(stdout.trim().split("\n").sort(), ["A=1=2", "B="]);
  },
);

Deno.test(
  "becomeProgram() sets argv[0] when asked, else the path",
  posix,
  async () => {
    strictEqual((await become(sh("echo $0"))).stdout, "/bin/sh\n");
    const named = await become(sh("echo $0", { argv0: "other" }));
    strictEqual(named.stdout, "other\n");
  },
);

Deno.test(
  "becomeProgram() gives SIGPIPE its default back, so that a pipe ends the program",
  posix,
  async () => {
    const child = command({ path: "/usr/bin/yes", args: [], env: {} }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    strictEqual((await child.status).signal, "SIGPIPE");
  },
);

Deno.test(
  "becomeProgram() says why a program cannot be started",
  posix,
  async () => {
    using temp = new TempDir();
    const files: readonly (readonly [string, string, number, RegExp])[] = [
      ["plain", "#!/bin/sh\n", 0o644, /permission denied/],
      ["text", "no program\n", 0o755, /it is not a program/],
      ["orphan", "#!/no/such/interpreter\n", 0o755, /does not exist/],
    ];
    for (const [name, text, mode, state] of files) {
      const path = `${temp.path}/${name}`;
      await Deno.writeTextFile(path, text);
      await Deno.chmod(path, mode);
      const { code, stdout } = await become({ path, args: [], env: {} });
      strictEqual(code, 99, name);
      match(stdout, /^AGENT_NOT_STARTED Cannot run ".*": /);
      match(stdout, state);
    }
    const missing = await become({ path: "/no/such", args: [], env: {} });
    match(missing.stdout, /it, or the interpreter it names, does not exist/);
    const long = await become({ path: "/bin/sh", longArgument: true, env: {} });
    match(long.stdout, /too long/);
  },
);
