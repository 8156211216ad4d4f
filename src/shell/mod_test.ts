import assert from "node:assert/strict";
import { AppError } from "../base/errors.ts";
import {
  completionScript,
  detectShell,
  rcLine,
  shellInit,
  SHELLS,
} from "./mod.ts";

Deno.test("detectShell() goes by the last part of $SHELL", () => {
  assert.equal(detectShell({ SHELL: "/bin/zsh" }), "zsh");
  assert.equal(detectShell({ SHELL: "C:\\Git\\bin\\bash.exe" }), "bash");
  assert.equal(detectShell({ SHELL: "fish" }), "fish");
  assert.equal(detectShell({ SHELL: "/bin/dash" }), undefined);
  assert.equal(detectShell({}), undefined);
});

Deno.test("rcLine() is bare for a plain path and quoted for any other", () => {
  assert.equal(
    rcLine("bash", "/usr/bin/aenv"),
    'eval "$(/usr/bin/aenv shell-init bash)"',
  );
  assert.equal(
    rcLine("zsh", "/My Tools/it's/aenv"),
    `eval "$('/My Tools/it'\\''s/aenv' shell-init zsh)"`,
  );
  assert.equal(
    rcLine("fish", "/My Tools/it's/aenv"),
    "'/My Tools/it\\'s/aenv' shell-init fish | source",
  );
});

for (const shell of SHELLS) {
  Deno.test(`shellInit() for ${shell} refuses a directory that PATH cannot hold`, () => {
    const init = { shell, self: "/aenv", root: "/r", commands: [] };
    assert.throws(
      () => shellInit({ ...init, shims: "/a:b/shims" }),
      (error: unknown) =>
        error instanceof AppError && error.code === "SHELL_UNSAFE" &&
        error.exitCode === 3,
    );
  });
}

Deno.test("completionScript() for fish is this", () => {
  const commands = [
    { name: "use", summary: "Use it", options: ["--global"], takes: "env" },
    { name: "run", summary: "Run", options: ["-E, --env <env>"] },
    { name: "shell-init", summary: "Script", takes: ["bash", "fish"] },
  ] as const;
  const script = completionScript("fish", commands, { root: "/r" });
  assert.deepEqual(
    script.split("\n").filter((line) => line.startsWith("complete")),
    [
      "complete -c aenv -e",
      "complete -c aenv -f",
      "complete -c aenv -n '_aenv_at \\'\\'' -a 'use' -d 'Use it'",
      "complete -c aenv -n '_aenv_at \\'\\'' -a 'run' -d 'Run'",
      "complete -c aenv -n '_aenv_at \\'\\'' -a 'shell-init' -d 'Script'",
      "complete -c aenv -n '_aenv_at \\'use\\'' -a '(_aenv_envs)'",
      "complete -c aenv -n '_aenv_at \\'use\\'' -l 'global'",
      "complete -c aenv -n '_aenv_at \\'run\\'' -s 'E' -x -a '(_aenv_envs)'",
      "complete -c aenv -n '_aenv_at \\'run\\'' -l 'env' -x -a '(_aenv_envs)'",
      "complete -c aenv -n '_aenv_at \\'shell-init\\'' -a 'bash fish'",
    ],
  );
});

Deno.test("completionScript() for bash decides by the verb", () => {
  const commands = [
    { name: "use", summary: "Use it", options: ["--global"], takes: "env" },
    { name: "store gc", summary: "Collect" },
  ] as const;
  const script = completionScript("bash", commands, { root: "/r" });
  const rows = script.split("\n").map((line) => line.trim());
  assert.deepEqual(rows.filter((row) => /^'.*;;$/.test(row)), [
    `'store') verb="$verb $word" ;;`,
    "'use') _aenv_offer '--global' ;;",
    "'') _aenv_offer use store ;;",
    "'store') _aenv_offer gc ;;",
    "'use') _aenv_envs ;;",
  ]);
  assert.ok(script.startsWith("_aenv_default_root='/r'\n"));
});

Deno.test("completionScript() for zsh serves as a file of $fpath too", () => {
  const script = completionScript("zsh", [], { root: "/r" });
  assert.ok(script.startsWith("#compdef aenv\n"));
});
