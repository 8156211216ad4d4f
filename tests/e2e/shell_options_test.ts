/** Shells set up in every way that users set them up. */
import assert from "node:assert/strict";
import { ALL_SHELLS, ShellWorld } from "./shell_world.ts";

/** Aliases over every built-in that the script could use: each would print. */
const ALIASES = [
  "builtin",
  "local",
  "test",
  "export",
  "unset",
  "read",
  "printf",
  "return",
  "command",
  "shopt",
  "typeset",
  "emulate",
  "true",
].map((name) => `alias ${name}='echo ALIASED'`).join("\n");

interface Setup {
  readonly name: string;
  readonly shell: "bash" | "zsh";
  readonly before: string;
}

const SETUPS: readonly Setup[] = [
  { shell: "bash", name: "set -eu", before: "set -eu" },
  { shell: "zsh", name: "set -u and err_exit", before: "set -eu" },
  { shell: "bash", name: "aliases over built-ins", before: ALIASES },
  {
    shell: "zsh",
    name: "aliases over built-ins, global ones too",
    before: `${ALIASES}\nalias -g current='| cat' kept='| cat' L='| cat'`,
  },
  {
    shell: "bash",
    name: "a PROMPT_COMMAND that rebuilds PS1 from $?",
    before: `PROMPT_COMMAND='PS1="P$?> "'`,
  },
  {
    shell: "bash",
    name: "a PROMPT_COMMAND that is an array and ends in a semicolon",
    before: `PROMPT_COMMAND=('true; ' 'PS1="P$?> ";')`,
  },
  {
    shell: "bash",
    name: "an exported PROMPT_COMMAND and PS1",
    before: `export PROMPT_COMMAND='true;' PS1`,
  },
  {
    shell: "bash",
    name: "strange shell options",
    before: "shopt -s nocasematch failglob nullglob extglob; set -f; IFS=_e",
  },
  { shell: "bash", name: "posix mode", before: "set -o posix" },
  {
    shell: "zsh",
    name: "prompt_subst and a precmd that rebuilds PROMPT and psvar",
    before: `setopt prompt_subst; precmd() { psvar=(a); PROMPT='P%?> '; }`,
  },
  {
    shell: "zsh",
    name: "options of other shells",
    before:
      "setopt ksh_arrays sh_word_split glob_subst no_nomatch warn_create_global",
  },
];

for (const { shell, name, before } of SETUPS) {
  Deno.test(`${shell} with ${name}: the marker, use, quit and statuses work`, async () => {
    using world = await ShellWorld.make();
    world.project("here");
    world.project("pinned", { ".aenv-version": "other\n" });
    await using terminal = await world.open(shell, {
      before,
    });
    assert.ok(!(await terminal.screen()).includes("ALIASED"));
    assert.equal((await terminal.run("cd here")).marker, "");
    const used = await terminal.run("aenv use work");
    assert.deepEqual(used, {
      output: used.output,
      marker: "[work] ",
      status: 0,
    });
    assert.ok(!used.output.includes("ALIASED"), used.output);
    // Also under errexit: the status is 1 and no command has failed.
    const failed = await terminal.run("! sh -c :");
    assert.deepEqual(failed, { output: "", marker: "[work] ", status: 1 });
    assert.equal((await terminal.run("cd ../pinned")).marker, "[other] ");
    assert.equal((await terminal.run("aenv quit")).marker, "");
  });
}

Deno.test("bash: prompt commands before and behind ours see the user's status", async () => {
  using world = await ShellWorld.make();
  await using terminal = await world.open("bash", {
    before: `PROMPT_COMMAND='first=$?'`,
    after: `PROMPT_COMMAND="$PROMPT_COMMAND; second=\\$?; true"`,
  });
  await terminal.run("sh -c 'exit 5'");
  assert.equal((await terminal.run('echo "$first $second"')).output, "5 0");
  const after = `PROMPT_COMMAND="$PROMPT_COMMAND; second=\\$?"`;
  await using plain = await world.open("bash", { after });
  await plain.run("sh -c 'exit 5'");
  assert.equal((await plain.run('echo "$second"')).output, "5");
});

Deno.test("zsh: precmd hooks before and behind ours see the user's status", async () => {
  using world = await ShellWorld.make();
  await using terminal = await world.open("zsh", {
    before: "precmd_functions+=(one); one() { first=$? }",
    after: "precmd_functions+=(two); two() { second=$? }",
  });
  await terminal.run("sh -c 'exit 5'");
  assert.equal((await terminal.run('echo "$first $second"')).output, "5 5");
});

Deno.test("bash: without promptvars there is no marker and no garbage", async () => {
  using world = await ShellWorld.make();
  await using terminal = await world.open("bash", {
    before: "PS1='P0> '",
    env: { AENV: "work" },
  });
  assert.equal((await terminal.run("shopt -u promptvars")).marker, "");
  assert.equal((await terminal.run("shopt -s promptvars")).marker, "[work] ");
});

Deno.test("zsh: without prompt_percent there is no marker and no garbage", async () => {
  using world = await ShellWorld.make();
  await using terminal = await world.open("zsh", {
    before: "PROMPT='P0> '",
    env: { AENV: "work" },
  });
  assert.equal((await terminal.run("unsetopt prompt_percent")).marker, "");
  assert.equal((await terminal.run("setopt prompt_percent")).marker, "[work] ");
});

Deno.test("fish: the user's prompt sees $status and $pipestatus", async () => {
  using world = await ShellWorld.make();
  await using terminal = await world.open("fish", {
    before: `function fish_prompt
    builtin printf '%s:%s\\nP%s> ' $status (string join , $pipestatus) 0
end`,
  });
  const { output } = await terminal.run("sh -c 'exit 4' | sh -c 'exit 5'");
  assert.match(output, /(^|\n)(\[[^\]]*\] )?5:4,5$/);
});

const NAMES = {
  bash: "compgen -v; compgen -A function",
  zsh: "print -l ${(k)parameters} ${(k)functions}",
  fish: "set -n; functions -an",
};
/** What the shells themselves make once they are at work. */
const OF_THE_SHELL =
  /^(HIST\w+|zle_bracketed_paste|last_pid|__init_uvar|_aenv_\w+|aenv|names_before|_|BASH\w*|PIPESTATUS|PROMPT_COMMAND|COLUMNS|LINES|psvar|PSVAR|precmd_functions|funcstack|AENV_\w+|TTYIDLE|fish_\w+|__fish\w*|cmd\w+|\w*pipestatus|history|status_generation|dirprev|dirnext|OPTIND|(funcfile|funcsource)?trace)$/;

for (const shell of ALL_SHELLS) {
  Deno.test(`${shell}: every name that we leave begins with _aenv_, but for the function aenv`, async () => {
    using world = await ShellWorld.make();
    await using terminal = await world.open(shell, {
      before: `{ ${NAMES[shell]}; } > ~/before`.replace(
        /^\{ (.*); \} >/,
        shell === "fish" ? "begin; $1; end >" : "{ $1; } >",
      ),
    });
    await terminal.run("aenv use work");
    const group = shell === "fish" ? ["begin;", "end"] : ["{", "}"];
    await terminal.run(`${group[0]} ${NAMES[shell]}; ${group[1]} > ~/after`);
    const before = new Set(world.lines("before"));
    assert.ok(before.size > 20, "the shell lists its names");
    const left = world.lines("after").filter((name) =>
      !before.has(name) && !OF_THE_SHELL.test(name)
    );
    assert.deepEqual(left, []);
  });
}
