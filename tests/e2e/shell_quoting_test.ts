/** Foreign text in scripts, and PATH, checked by the shells themselves. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { quoteFor } from "../../src/shell/escape.ts";
import { rcLine, type Shell, shellInit } from "../../src/shell/mod.ts";
import { run } from "../support/process.ts";
import { TempDir } from "../support/temp.ts";
import { ALL_SHELLS } from "./shell_world.ts";

const NO_RC: Readonly<Record<Shell, readonly string[]>> = {
  bash: ["--norc", "--noprofile"],
  zsh: ["-f"],
  fish: ["--no-config"],
};

/** Characters that some shell gives a meaning. */
const SIGNS = [..."'\"\\$`!#%&*?[]{}()<>|;~^=:, \n\t-@aé漢🦀"];

const anyText = fc.oneof(
  fc.string({ unit: fc.constantFrom(...SIGNS), maxLength: 12 }),
  // Fish keeps wildcards and raw bytes in these private and unassigned ranges.
  fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) =>
    !/[\0\uf600-\uf6ff\ufdd0-\ufdef]/.test(text)
  ),
);

/** Runs a script from a file, as \`source\` would. */
async function runScript(
  shell: Shell,
  text: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  using temp = new TempDir("aenv-shell-");
  const file = `${temp.path}/script`;
  await Deno.writeTextFile(file, text);
  const program = await programPath(shell);
  return await run(program, [...NO_RC[shell], file], {
    env: { HOME: temp.path, LC_ALL: "C.UTF-8", PATH: "/usr/bin:/bin", ...env },
    cwd: temp.path,
  });
}

async function programPath(shell: Shell): Promise<string> {
  const { stdout } = await run("/bin/sh", ["-c", `command -v ${shell}`], {
    env: { PATH: Deno.env.get("PATH") ?? "" },
    cwd: "/",
  });
  return stdout.trim();
}

for (const shell of ALL_SHELLS) {
  Deno.test(`${shell}: quoteFor() makes one word that the shell reads back unchanged`, async () => {
    const texts = fc.sample(anyText, { numRuns: 400, seed: 20_260_101 });
    const script = texts.map((text) =>
      `printf '%s\\0' ${quoteFor(shell, text)}`
    ).join("\n");
    const { stdout, stderr } = await runScript(shell, script + "\n");
    assert.equal(stderr, "");
    assert.deepEqual(stdout.split("\0").slice(0, -1), texts);
  });

  Deno.test(`${shell}: rcLine() runs the program, wherever it lies`, async () => {
    using temp = new TempDir("aenv-shell-");
    const dir = `${temp.path}/it's "a" $HOME \`b\` \\e !é`;
    await Deno.mkdir(dir);
    const program = `${dir}/aenv`;
    await Deno.writeTextFile(program, '#!/bin/sh\necho "echo $1 $2"\n', {
      mode: 0o755,
    });
    const { stdout, stderr } = await runScript(shell, rcLine(shell, program));
    assert.equal(stderr, "");
    assert.equal(stdout, `shell-init ${shell}\n`);
  });

  Deno.test(`${shell}: the script is silent under strict settings and puts the shims first exactly once`, async () => {
    const shims = '/opt/it\'s "a" $HOME `b` \\e|é*/shims';
    const init = shellInit({
      shell,
      self: "/opt/aenv",
      shims,
      root: "/opt/root",
      commands: [],
    });
    const strict = shell === "fish" ? "" : "set -eu\n";
    const path = `/usr/bin:${shims}:/opt/a b:${shims}/:/bin`;
    const show = shell === "fish"
      ? "string join : $PATH"
      : "printf '%s\\n' \"$PATH\"";
    const { code, stdout, stderr } = await runScript(
      shell,
      `${strict}${init}${init}${show}\n`,
      { PATH: path },
    );
    assert.equal(stderr, "");
    assert.equal(stdout, `${shims}:/usr/bin:/opt/a b:/bin\n`);
    assert.equal(code, 0);
  });

  Deno.test(`${shell}: the function says so and fails when the program is gone`, async () => {
    const init = shellInit({
      shell,
      self: "/no/such/aenv",
      shims: "/no/such/shims",
      root: "/no/such",
      commands: [],
    });
    const { code, stdout, stderr } = await runScript(
      shell,
      `${init}aenv current\n`,
    );
    assert.equal(stdout, "");
    assert.equal(
      stderr,
      'aenv: cannot run "/no/such/aenv": it does not exist\n',
    );
    assert.equal(code, 127);
  });
}

for (const shell of ["bash", "zsh"] as const) {
  Deno.test(`${shell}: empty parts of PATH stay, and none is added`, async () => {
    const init = shellInit({
      shell,
      self: "/opt/aenv",
      shims: "/shims",
      root: "/opt/root",
      commands: [],
    });
    for (
      const [before, after] of [
        [":/bin::/usr/bin:", "/shims::/bin::/usr/bin:"],
        ["/shims", "/shims"],
        ["", "/shims"],
      ] as const
    ) {
      const script = `PATH='${before}'\n${init}printf '%s\\n' "$PATH"\n`;
      assert.equal((await runScript(shell, script)).stdout, `${after}\n`);
    }
  });
}
