/**
 * `deno task test [PART…]`: runs the parts and sums what they report. Ends with one line `N passed, N failed`;
 * fails when a test failed, was ignored, or when there was none.
 */

import { join } from "node:path";
import {
  repositoryRoot,
  runScript,
  say,
  ScriptError,
  stream,
} from "./support/script.ts";
import { addTally, parseSummary, type Tally } from "./support/tally.ts";

/** A step of the whole: a script that must succeed, or test files that are counted. */
type Part =
  | { readonly kind: "script"; readonly file: string }
  | { readonly kind: "tests"; readonly paths: readonly string[] };

const PARTS: Readonly<Record<string, Part>> = {
  prepare: { kind: "script", file: "scripts/prepare_tests.ts" },
  unit: { kind: "tests", paths: ["src", "scripts", "tests/support"] },
  build: { kind: "script", file: "scripts/build.ts" },
  specs: { kind: "tests", paths: ["tests/specs"] },
  e2e: { kind: "tests", paths: ["tests/e2e"] },
  enforcement: { kind: "tests", paths: ["tests/enforcement"] },
};

/** See there. */
const PRELOAD = "tests/support/open_libc.ts";

const DECODER = new TextDecoder();

/** Runs `deno test`, passing its output through, and counts from its last line. */
async function runTests(
  paths: readonly string[],
  root: string,
): Promise<Tally> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--quiet", `--preload=${PRELOAD}`, ...paths],
    cwd: root,
    env: { RUST_BACKTRACE: "0", RUST_LIB_BACKTRACE: "0" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let output = "";
  for await (const chunk of child.stdout) {
    output += DECODER.decode(chunk, { stream: true });
    let rest = chunk;
    while (rest.length > 0) rest = rest.subarray(await Deno.stdout.write(rest));
  }
  const { success } = await child.status;
  return parseSummary(output, success);
}

async function runPart(name: string, root: string): Promise<Tally> {
  const part = PARTS[name];
  if (part === undefined) {
    throw new ScriptError(
      `Cannot run "${name}": the parts are ${Object.keys(PARTS).join(", ")}`,
    );
  }
  say(`\n== ${name}`);
  if (part.kind === "tests") return await runTests(part.paths, root);
  const code = await stream(Deno.execPath(), [
    "run",
    "--allow-all",
    join(root, part.file),
  ], { cwd: root });
  // A step that fails counts, or the last line would look like success.
  return { passed: 0, failed: code === 0 ? 0 : 1, ignored: 0 };
}

async function main(): Promise<number> {
  const root = repositoryRoot();
  const names = Deno.args.length > 0 ? Deno.args : Object.keys(PARTS);
  let total: Tally = { passed: 0, failed: 0, ignored: 0 };
  for (const name of names) {
    const tally = await runPart(name, root);
    total = addTally(total, tally);
    const isBroken = PARTS[name]?.kind === "script" && tally.failed > 0;
    if (isBroken) break;
  }
  if (total.ignored > 0) say(`\n${total.ignored} ignored: none may be`);
  say(`\n${total.passed} passed, ${total.failed} failed`);
  const isGood = total.passed > 0 && total.failed === 0 && total.ignored === 0;
  return isGood ? 0 : 1;
}

if (import.meta.main) await runScript(main);
