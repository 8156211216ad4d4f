/** `use`, pins and `quit` in real interactive shells. */
import assert from "node:assert/strict";
import { ALL_SHELLS, ShellWorld } from "./shell_world.ts";

for (const shell of ALL_SHELLS) {
  Deno.test(`${shell}: use marks the prompt, follows pins, sticks where nothing is pinned, and quit ends it`, async () => {
    using world = await ShellWorld.make();
    world.project("here/below");
    world.project("free");
    world.project("pinned", { ".aenv-version": "other\n" });
    await using terminal = await world.open(shell);
    const marker = async (line: string) => (await terminal.run(line)).marker;

    assert.equal(await marker("cd here"), "");
    assert.equal(await marker("aenv use work"), "[work] ");
    assert.equal(await marker("cd below"), "[work] ");
    assert.equal(await marker("cd ../../pinned"), "[other] ");
    assert.equal(await marker("cd ../free"), "[work] ");
    assert.equal(
      (await terminal.run("cd ../pinned && aenv current")).output,
      "other",
    );
    assert.equal(await marker("aenv quit"), "");
    assert.equal((await terminal.run("aenv current")).output, "global");
    assert.equal(await marker("cd ../here"), "");
    assert.equal(await marker("aenv use play"), "[play] ");
    assert.equal(await marker("cd ../pinned"), "[other] ");
    assert.equal(await marker("aenv deactivate"), "");
  });

  Deno.test(`${shell}: use beats a variable that was set by hand, and takes -- and options in any place`, async () => {
    using world = await ShellWorld.make();
    world.project("here");
    await using terminal = await world.open(shell, {
      env: { AENV: "other" },
    });
    assert.equal((await terminal.run("cd here")).marker, "[other] ");
    assert.equal((await terminal.run("aenv use -- work")).marker, "[work] ");
    assert.equal((await terminal.run("aenv use global")).marker, "");
    assert.equal((await terminal.run("rm .aenv-version")).marker, "");
    assert.equal((await terminal.run("aenv use play")).marker, "[play] ");
  });

  Deno.test(`${shell}: use --help, use --global and a failing use leave this shell's choice alone`, async () => {
    using world = await ShellWorld.make();
    world.project("here");
    await using terminal = await world.open(shell);
    await terminal.run("cd here");
    const choice = async () =>
      (await terminal.run('echo "<$AENV_SHELL>"')).output;

    await terminal.run("aenv use --help work");
    assert.equal(await choice(), "<>");
    await terminal.run("aenv use -h");
    assert.equal(await choice(), "<>");
    assert.equal((await terminal.run("aenv use no-such-env")).status, 1);
    assert.equal(await choice(), "<>");
    const set = await terminal.run("aenv use --global play");
    assert.equal(await choice(), "<>");
    assert.equal(set.marker, "[play] ", "the default applies here");
    await terminal.run("aenv use work");
    assert.equal(await choice(), "<work>");
  });

  Deno.test(`${shell}: the function keeps exit statuses and the prompt shows them unchanged`, async () => {
    using world = await ShellWorld.make();
    await using terminal = await world.open(shell);
    const status = async (line: string) => (await terminal.run(line)).status;

    // In HOME nothing is started confined.
    assert.equal(await status(`cd '${world.project("p")}'`), 0);
    assert.equal(await status("aenv exec -E work -- sh -c 'exit 7'"), 7);
    assert.equal(await status("sh -c 'exit 3'"), 3);
    assert.equal(await status("aenv no-such-command"), 2);
    assert.equal(await status("aenv use work"), 0);
    assert.equal(await status("aenv quit"), 0);
    assert.equal(await status("aenv current"), 0);
  });

  Deno.test(`${shell}: a shell inside a shell keeps the choice, and PATH has the shims once and first`, async () => {
    using world = await ShellWorld.make();
    await using terminal = await world.open(shell);
    world.project("here");
    await terminal.run("cd here");
    await terminal.run("aenv use work");
    await terminal.run("rm .aenv-version");
    const inner = await terminal.run(shell === "zsh" ? "zsh -d" : shell);
    assert.equal(inner.marker, "[work] ");
    const { output } = await terminal.run("sh -c 'echo $PATH'");
    const parts = output.split(":");
    assert.equal(parts[0], `${world.root}/shims`);
    assert.equal(parts.filter((part) => part === parts[0]).length, 1);
    await terminal.run("exit");
  });

  Deno.test(`${shell}: everything works with an aenv home full of quotes, spaces and signs`, async () => {
    using world = await ShellWorld.make('a\'b "c" $HOME `d` \\e|é*;&');
    world.project("here");
    await using terminal = await world.open(shell);
    await terminal.run("cd here");
    assert.equal((await terminal.run("aenv use work")).marker, "[work] ");
    const { output } = await terminal.run('sh -c \'printf "%s\\n" "$PATH"\'');
    assert.equal(output.split(":")[0], `${world.root}/shims`);
  });
}
