/** What a prompt costs, and what it must never do. */
import assert from "node:assert/strict";
import type { Shell } from "../../src/shell/mod.ts";
import { aenvBinary } from "../support/aenv.ts";
import { ALL_SHELLS, ShellWorld } from "./shell_world.ts";

/** A program that notes each start and then is the real one. */
function counter(world: ShellWorld): string {
  return world.script(
    "counter",
    `#!/bin/sh\necho "$*" >>"\${0%/*}/starts"\nexec '${aenvBinary()}' "$@"\n`,
  );
}

function starts(world: ShellWorld): string[] {
  return world.read("starts").split("\n").filter((line) => line !== "");
}

/** Page faults of the children that a process has waited for: grows with every fork, field 11 of proc_pid_stat(5). */
function childFaults(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[8]);
}

for (const shell of ALL_SHELLS) {
  Deno.test(`${shell}: a prompt starts no process unless what decides has changed`, async () => {
    using world = await ShellWorld.make();
    world.project("pinned/below", {});
    world.project("pinned", { ".aenv-version": "work\n" });
    world.project("free/below");
    const init = world.sourceLine(shell, counter(world));
    await using terminal = await world.open(shell, { init });
    assert.deepEqual(starts(world), ["current"]);

    await terminal.run("cd pinned");
    assert.deepEqual(starts(world), ["current", "current"]);
    const pid = await terminal.pid();
    const canSeeForks = Deno.build.os === "linux";
    const faults = canSeeForks ? childFaults(pid) : 0;
    for (const line of ["", "true", "cd below", "cd ..", "false", ""]) {
      assert.equal((await terminal.run(line)).marker, "[work] ");
    }
    assert.deepEqual(starts(world), ["current", "current"]);
    if (canSeeForks) assert.equal(childFaults(pid), faults, "a fork was seen");

    await terminal.run("cd ../free");
    assert.equal(starts(world).length, 3);
    await terminal.run("cd below");
    await terminal.run("cd ..");
    assert.equal(starts(world).length, 3, "both have no pin");
  });

  Deno.test(`${shell}: the prompt sees each change of what decides, also when another program made it`, async () => {
    using world = await ShellWorld.make();
    const here = world.project("here", { ".aenv-version": "work\n" });
    await using terminal = await world.open(shell);
    const marker = async (line = "") => (await terminal.run(line)).marker;

    assert.equal(await marker("cd here"), "[work] ");
    world.write(`${here}/.aenv-version`, "play\n");
    assert.equal(await marker(), "[play] ");
    await world.aenv("remove", "play", "--force");
    assert.equal(await marker(), "[?] ");
    world.remove(`${here}/.aenv-version`);
    assert.equal(await marker(), "");
    await world.aenv("use", "--global", "other");
    assert.equal(await marker(), "[other] ");
    const set = shell === "fish" ? "set -gx AENV work" : "export AENV=work";
    assert.equal(await marker(set), "[work] ");
    const unset = shell === "fish" ? "set -e AENV" : "unset AENV";
    assert.equal(await marker(unset), "[other] ");
  });

  Deno.test(`${shell}: a pin that is a pipe, a directory or huge does not hold the prompt up`, async () => {
    using world = await ShellWorld.make();
    await using terminal = await world.open(shell);
    for (const name of ["aenv.toml", ".aenv-version"]) {
      const pipe = world.project(`pipe${name}`);
      const made = await new Deno.Command("mkfifo", {
        args: [`${pipe}/${name}`],
      }).output();
      assert.ok(made.success);
      assert.equal((await terminal.run(`cd ~/pipe${name}`)).marker, "[?] ");
      world.project(`directory${name}/${name}`);
      assert.equal(
        (await terminal.run(`cd ~/directory${name}`)).marker,
        "[?] ",
      );
      // Sparse: a gigabyte of NUL bytes.
      const huge = world.project(`huge${name}`);
      world.write(`${huge}/${name}`, { size: 2 ** 30 });
      assert.equal((await terminal.run(`cd ~/huge${name}`)).marker, "[?] ");
    }
    assert.equal((await terminal.run("cd ~")).marker, "");
  });

  Deno.test(`${shell}: a deleted directory breaks neither the prompt nor the shell`, async () => {
    using world = await ShellWorld.make();
    const gone = world.project("gone/below");
    await using terminal = await world.open(shell, { cwd: gone });
    world.remove(`${world.home}/gone`);
    const answer = await terminal.run("false");
    assert.equal(answer.status, 1);
    assert.equal(answer.output, "");
    assert.equal((await terminal.run("cd ~")).marker, "");
  });

  Deno.test(`${shell}: entering hostile directories runs nothing and shows nothing of theirs`, async () => {
    using world = await ShellWorld.make();
    const attack = "$(touch ~/owned)`touch ~/owned`%{%F{red}\\$(touch ~/owned)";
    const texts = [
      attack,
      `name = "${attack}"`,
      `work\n${attack}\n`,
      "'; touch ~/owned; '",
    ];
    const dirs = [
      "$(touch ~+owned)",
      "`touch owned`",
      "a'; touch owned; '",
      "%{%F{red}",
      "line\nbreak",
      "-n",
      "*",
    ];
    await using terminal = await world.open(shell);
    for (const [index, name] of dirs.entries()) {
      const text = texts[index % texts.length]!;
      const file = index % 2 === 0 ? "aenv.toml" : ".aenv-version";
      world.project(`hostile${index}/${name}`, { [file]: text, [`aenv`]: "" });
      await terminal.run(`cd ~/hostile${index}`);
      const answer = await terminal.run("cd -- ./*");
      assert.equal(answer.status, 0, name);
      assert.equal(answer.marker, "[?] ", name);
    }
    await terminal.run("cd ~");
    const names = world.names().join(" ");
    assert.ok(!names.includes("owned"), names);
  });

  Deno.test(`${shell}: what the program prints is never read as a prompt's code`, async () => {
    using world = await ShellWorld.make();
    const evil = world.script(
      "evil",
      "#!/bin/sh\necho '%F{red}$(touch ~/owned)`touch ~/owned`\\u'\n",
    );
    const init = world.sourceLine(shell, evil);
    await using terminal = await world.open(shell, { init });
    const answer = await terminal.run("");
    assert.equal(answer.marker, "[?] ");
    assert.ok(!world.names().includes("owned"));
  });

  Deno.test(`${shell}: reading the start-up file again changes nothing`, async () => {
    using world = await ShellWorld.make();
    await using terminal = await world.open(shell, {
      env: { AENV: "work" },
    });
    const rc = shell === "fish"
      ? "~/.config/fish/config.fish"
      : `~/.${shell}rc`;
    await terminal.run(`source ${rc}`);
    const answer = await terminal.run(`source ${rc}`);
    assert.equal(answer.marker, "[work] ");
    const { output } = await terminal.run("sh -c 'echo $PATH'");
    assert.equal(output.split(`${world.root}/shims`).length, 2, output);
  });

  Deno.test(`${shell}: the marker stands behind line breaks that the prompt starts with`, async () => {
    using world = await ShellWorld.make();
    await using terminal = await world.open(shell, {
      before: multiLinePrompt(shell),
      env: { AENV: "work" },
    });
    const screen = await terminal.screen();
    assert.match(screen, /^\[work\] first\nP0> /m);
  });
}

function multiLinePrompt(shell: Shell): string {
  if (shell === "bash") return "PS1='\\[\\e[0m\\]\\nfirst\\nP$?> '";
  if (shell === "zsh") return "PROMPT=$'\\nfirst\\nP%?> '";
  return `function fish_prompt
    builtin printf '\\nfirst\\nP%s> ' $status
end`;
}
