/** The Tab key in real shells. */
import assert from "node:assert/strict";
import type { Shell } from "../../src/shell/mod.ts";
import type { Terminal } from "./shell_terminal.ts";
import { ALL_SHELLS, ShellWorld } from "./shell_world.ts";

/** What is typed before Tab, and what the line then is. */
const CASES: readonly (readonly [string, string])[] = [
  ["aenv curr", "aenv current "],
  ["aenv use wo", "aenv use work "],
  ["aenv use glob", "aenv use global "],
  ["aenv remove --force pl", "aenv remove --force play "],
  ["aenv exec -E oth", "aenv exec -E other "],
  ["aenv new fresh --from wo", "aenv new fresh --from work "],
  ["aenv use --glo", "aenv use --global "],
  ["aenv shell-init fi", "aenv shell-init fish "],
  // Neither files nor envs where an argument is neither.
  ["aenv use some", "aenv use some"],
  ["aenv current wo", "aenv current wo"],
];

/** Types `text`, Tab and a mark, and gives the line up to the mark. The mark tells what Tab wrote from what a shell only suggests. */
async function complete(terminal: Terminal, text: string): Promise<string> {
  await terminal.write(text);
  await terminal.keys("Tab");
  await terminal.write("@");
  const screen = await terminal.waitFor(
    (screen) => screen.trimEnd().endsWith("@"),
    `completion of "${text}"`,
  );
  await terminal.keys("C-c");
  await terminal.prompt();
  return screen.trimEnd().slice(0, -1).replace(/^[^]*P\d+> /, "");
}

/** Sets the completion system up where it is not there from the start. */
function completionSetup(shell: Shell): string {
  return shell === "zsh" ? "autoload -Uz compinit && compinit -u -D" : "";
}

for (const shell of ALL_SHELLS) {
  Deno.test(`${shell}: Tab completes commands, options and names of environments`, async () => {
    using world = await ShellWorld.make();
    world.write(`${world.home}/somefile`, "");
    // No manifest, so no environment.
    world.project("../aenv-home/envs/workless");
    await using terminal = await world.open(shell, {
      before: completionSetup(shell),
    });
    for (const [typed, expected] of CASES) {
      assert.equal(await complete(terminal, typed), expected);
    }
  });
}

Deno.test("zsh: Tab works too when the completion system starts behind our line", async () => {
  using world = await ShellWorld.make();
  await using terminal = await world.open("zsh", {
    after: completionSetup("zsh"),
  });
  assert.equal(await complete(terminal, "aenv use wo"), "aenv use work ");
});

Deno.test("bash: Tab works under noglob and failglob and leaves them on", async () => {
  using world = await ShellWorld.make();
  await using terminal = await world.open("bash", {
    before: "set -f; shopt -s failglob",
  });
  assert.equal(await complete(terminal, "aenv use wo"), "aenv use work ");
  const { output } = await terminal.run("echo $-; shopt failglob");
  assert.match(output, /f.*\nfailglob\s+on/);
});
