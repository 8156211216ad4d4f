/** In a terminal, a confined agent behaves like the bare one. */

import assert from "node:assert/strict";
import {
  type Behaviour,
  behaviourOf,
  behaviourOfBare,
} from "./terminal_world.ts";

Deno.test("in a terminal, confined: keys, signals, job control and window as with the bare agent", async () => {
  const confined = await behaviourOf("private", {
    prepare: (world) => {
      world.writeEnv(
        "private",
        'isolation = "private"\n[sandbox]\nenabled = true',
      );
      return Promise.resolve();
    },
  });
  assertAlike(confined, await behaviourOfBare());
});

Deno.test("in a terminal, confined and supervised: keys, signals, job control and window as with the bare agent", async () => {
  const confined = await behaviourOf("private", {
    isSupervised: true,
    prepare: (world) => {
      const { port } = new URL(world.stub.url);
      world.writeEnv(
        "private",
        `isolation = "private"
[sandbox]
enabled = true
network = { mode = "hosts", allow = ["localhost:${port}"] }`,
      );
      return Promise.resolve();
    },
  });
  assertAlike(confined, await behaviourOfBare());
});

/** Alike but for what makes the sandbox: no privileges, a filter, a mark. */
function assertAlike(confined: Behaviour, bare: Behaviour): void {
  assert.deepEqual(confined.exitCodes, bare.exitCodes);
  const [inside, outside] = [confined, bare].map(({ process }) =>
    process.replace(/^(CapEff|NoNewPrivs|Seccomp|Max file locks).*$/gm, "")
  );
  assert.equal(inside, outside);
  assert.match(confined.process, /^Seccomp:\t2$/m);
}
