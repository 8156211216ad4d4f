/** Files: what is not granted cannot be reached by any way. */
import assert from "node:assert/strict";
import { claim } from "./world.ts";

claim("a private key in HOME cannot be read", async (world) => {
  // Guards: the first thing that every stealer does.
  await world.isStopped(["read", `${world.home}/.ssh/id_rsa`], "EACCES");
  assert.equal(
    await world.attack(["read", `${world.library}/book`]),
    "done a book",
  );
});
