import { deepStrictEqual, ok } from "node:assert/strict";
import { waitFor } from "../../tests/support/process.ts";
import { processesCalled } from "./processes.ts";

Deno.test({
  name: "processesCalled() finds a process by its name, with its environment",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const child = new Deno.Command("/bin/sleep", {
      args: ["60"],
      clearEnv: true,
      env: { MARK: "a=b", EMPTY: "" },
    }).spawn();
    // It is called so once it has become the program.
    const found = await waitFor(
      "its name",
      () => processesCalled("sleep").find(({ pid }) => pid === child.pid),
    );
    child.kill();
    await child.status;
    deepStrictEqual(found, {
      pid: child.pid,
      env: { MARK: "a=b", EMPTY: "" },
    });
    ok(!processesCalled("sleep").some(({ pid }) => pid === child.pid));
    deepStrictEqual(processesCalled("no-such-program"), []);
  },
});
