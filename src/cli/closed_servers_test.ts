import { deepStrictEqual } from "node:assert/strict";
import { CommandHome } from "../../tests/support/command_home.ts";
import { command } from "./commands/add_mcp.ts";

function home(sandbox: string): CommandHome {
  const made = new CommandHome(`[env]\nname = "e"\n${sandbox}`);
  for (const dir of ["home/tools", "home/.ssh", "repo/bin"]) {
    Deno.mkdirSync(`${made.path}/${dir}`);
    Deno.writeTextFileSync(`${made.path}/${dir}/server.mjs`, "");
  }
  return made.inRepo("sub");
}

const CONFINED = "[sandbox]\nenabled = true\n";

/** What `aenv add mcp` remarks about a server with these arguments, after the installation's own lines. */
async function remarks(home: CommandHome, ...args: string[]) {
  await home.run(command, "near", "node", ...args);
  return home.notices.filter((line) => !line.includes("trust"));
}

Deno.test("a server whose files the sandbox closes is named when it is added, with what to type", async () => {
  using world = home(CONFINED);
  const path = `${world.path}/home/tools/server.mjs`;
  deepStrictEqual(await remarks(world, path), [
    'aenv: MCP server "near" may not read "~/tools/server.mjs" in the sandbox',
    "  To allow it: aenv mount add ~/tools",
  ]);
});

Deno.test("nothing can open what is never granted to a server", async () => {
  using world = home(CONFINED);
  const path = `${world.path}/home/.ssh/server.mjs`;
  deepStrictEqual(await remarks(world, path), [
    'aenv: MCP server "near" may not read "~/.ssh/server.mjs" in the sandbox',
  ]);
});

Deno.test("servers of the project, without paths, and of an env that is not confined are passed over", async () => {
  for (
    const [sandbox, file] of [
      [CONFINED, "repo/bin/server.mjs"],
      [CONFINED, "home/tools/no-such-file"],
      ["", "home/tools/server.mjs"],
    ] as const
  ) {
    using world = home(sandbox);
    const said = await remarks(world, `${world.path}/${file}`, "plain");
    deepStrictEqual(said, [], file);
  }
});
