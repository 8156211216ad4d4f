import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { EnvWorld } from "../../tests/support/env_world.ts";
import { parseSecretKey } from "../base/secret_key.ts";
import { runSecretCommands } from "./command_source.ts";

const PATH = Deno.env.get("PATH") ?? "";

async function valueOf(
  world: EnvWorld,
  command: string,
  key = "gh-token",
): Promise<Uint8Array> {
  const name = parseSecretKey(key);
  const values = await runSecretCommands(new Map([[name, command]]), {
    host: world.host({ PATH, MINE: "of the caller" }),
    cwd: world.cwd,
  });
  return values.get(name)!.reveal();
}

async function textOf(...args: Parameters<typeof valueOf>): Promise<string> {
  return new TextDecoder().decode(await valueOf(...args));
}

Deno.test("runSecretCommands() takes what a command prints, byte for byte but for the line end of one line", async () => {
  using world = new EnvWorld();
  strictEqual(await textOf(world, "echo value"), "value");
  strictEqual(await textOf(world, "printf 'a\\nb\\n'"), "a\nb\n");
  const bytes = await valueOf(world, "printf '\\377\\000\\001'");
  deepStrictEqual([...bytes], [255, 0, 1]);
});

Deno.test("runSecretCommands() runs in the caller's environment and the manifest's directory, with the key as a variable", async () => {
  using world = new EnvWorld();
  strictEqual(
    await textOf(world, "echo $MINE; pwd"),
    `of the caller\n${world.cwd}\n`,
  );
  strictEqual(
    await textOf(world, 'printf %s "$AENV_SECRET_KEY"', "a.b-c"),
    "a.b-c",
  );
  strictEqual(await textOf(world, "printf x; cat"), "x");
});

Deno.test("runSecretCommands() runs one command before the others, which a person may have to unlock", async () => {
  using world = new EnvWorld();
  const log = world.path("log");
  const command = `echo $AENV_SECRET_KEY begins >> ${log}; echo v; ` +
    `echo $AENV_SECRET_KEY ends >> ${log}`;
  const keys = ["a", "b", "c"].map(parseSecretKey);
  const values = await runSecretCommands(
    new Map(keys.map((key) => [key, command])),
    { host: world.host({ PATH }), cwd: world.cwd },
  );
  strictEqual(values.size, 3);
  deepStrictEqual(world.read("log").split("\n").slice(0, 2), [
    "a begins",
    "a ends",
  ]);
});

Deno.test("runSecretCommands() says why there is no value, and how to try it", async () => {
  using world = new EnvWorld();
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      "exit 3",
      /^Cannot read secret "gh-token": its command ended with exit code 3$/,
    ],
    [
      "echo first >&2; echo not signed in >&2; exit 1",
      /exit code 1: not signed in$/,
    ],
    ["no-such-program-anywhere", /exit code 127: .*not found$/],
    ["true", /its command printed nothing$/],
    ["echo", /its command printed nothing$/],
    ["head -c 70000 /dev/zero", /its command printed more than 65536 bytes$/],
    ["kill -9 $$", /exit code 137$/],
  ];
  for (const [command, message] of cases) {
    await rejects(
      valueOf(world, command),
      (error: Error & { hint: string }) => {
        ok(message.test(error.message), error.message);
        ok(error.hint.startsWith("Try it: AENV_SECRET_KEY=gh-token sh -c "));
        return true;
      },
    );
  }
});
