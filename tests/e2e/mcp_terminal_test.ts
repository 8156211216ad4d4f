/** In a terminal, an agent beside which a supervisor stays behaves like the bare one. */

import assert from "node:assert/strict";
import { mcpServerOf } from "../support/claude_items.ts";
import { behaviourOf, behaviourOfBare } from "./terminal_world.ts";

Deno.test("in a terminal, supervised: keys, signals, job control and window as with the bare agent", async () => {
  const supervised = await behaviourOf("private", {
    isSupervised: true,
    env: { AENV_SECRET_BACKEND: "file" },
    async prepare(world) {
      const { command, args } = mcpServerOf("gh", world.out);
      world.writeEnv(
        "private",
        `isolation = "private"
[mcp.gh]
command = "${command}"
args = ${JSON.stringify(args)}
env = { TOKEN = "\${secret:token}" }`,
      );
      await world.aenv.must(["secrets", "add", "token", "-E", "private", "-"], {
        env: { ...world.aenv.env, AENV_SECRET_BACKEND: "file" },
        stdin: "the-value",
      });
    },
  });
  assert.deepEqual(supervised, await behaviourOfBare());
});
