/** `[secrets] expose = "env"` with the real agent: it and its servers have the values as variables, and no file has them. */

import assert from "node:assert/strict";
import { mcpServerOf } from "../support/claude_items.ts";
import { World } from "./agent_world.ts";

const VALUE = "exposed-canary-5X-value";
const FROM_COMMAND = "command-canary-8K-value";
const FILE = { AENV_SECRET_BACKEND: "file" };

/** A world whose agent runs `script`, and whose env `private` exposes a kept secret and one from a command. */
async function open(script: string): Promise<World> {
  const world = await World.open({
    steps: ({ root }) => [{ bash: `cd '${root}' && ${script}` }],
  });
  const { command, args } = mcpServerOf("probe", world.out);
  world.writeEnv(
    "private",
    `[secrets]
expose = "env"
[secrets.from-command]
command = "printf ${FROM_COMMAND}"
[mcp.probe]
command = ${JSON.stringify(command)}
args = ${JSON.stringify(args)}
env = { TOKEN = "Bearer \${secret:gh-token}" }`,
  );
  const add = ["secrets", "add", "gh-token", "-E", "private"];
  await world.aenv.must(add, {
    stdin: VALUE,
    env: { ...world.aenv.env, ...FILE },
  });
  return world;
}

const ARGS = ["-p", "hello", "--allowedTools=Bash"];

Deno.test("the agent, what it runs and its server have the exposed secrets; nothing that is written or said has them", async () => {
  await using world = await open("env > inside; cp -r home/.aenv/runs runs");
  const { code, stdout, stderr } = await world.aenv.claude("private", ARGS, {
    env: FILE,
  });
  assert.equal(code, 0, stderr);
  const inside = await Deno.readTextFile(`${world.root}/inside`);
  assert.match(inside, new RegExp(`^AENV_PRIVATE_GH_TOKEN=${VALUE}$`, "m"));
  assert.match(
    inside,
    new RegExp(`^AENV_PRIVATE_FROM_COMMAND=${FROM_COMMAND}$`, "m"),
  );
  const server = await Deno.readTextFile(`${world.out}/probe`);
  assert.match(server, new RegExp(`^TOKEN=Bearer ${VALUE}$`, "m"));
  const explained = await world.aenv.must([
    "run",
    "-E",
    "private",
    "--explain",
  ]);
  assert.match(
    explained,
    /^ {2}\+ AENV_PRIVATE_GH_TOKEN=\(secret gh-token\)$/m,
  );
  const json = await world.aenv.must([
    "run",
    "-E",
    "private",
    "--explain",
    "--json",
  ]);
  const told = [
    stdout,
    stderr,
    explained,
    json,
    ...filesBelow(`${world.root}/runs`),
  ];
  for (const text of told) {
    assert.ok(!text.includes(VALUE) && !text.includes(FROM_COMMAND), text);
  }
  assert.ok(
    told.some((text) => text.includes("Bearer ${AENV_PRIVATE_GH_TOKEN}")),
  );
});

Deno.test("a nested launch of another env has none of the outer one's exposed secrets", async () => {
  await using world = await open("aenv exec -E overlay -- env > nested");
  const { code, stderr } = await world.aenv.claude("private", ARGS, {
    env: FILE,
  });
  assert.equal(code, 0, stderr);
  const nested = await Deno.readTextFile(`${world.root}/nested`);
  assert.match(nested, /^AENV=overlay$/m);
  assert.ok(!/AENV_PRIVATE_|canary/.test(nested), nested);
});

Deno.test("an exposed secret that is missing, or whose command fails, stops the launch", async () => {
  await using world = await open("true");
  const remove = ["secrets", "rm", "gh-token", "-E", "private"];
  await world.aenv.must(remove, { env: { ...world.aenv.env, ...FILE } });
  const { code, stdout, stderr } = await world.aenv.claude("private", ARGS, {
    env: FILE,
  });
  assert.equal(code, 3);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /^aenv: Cannot read the secrets of "private": it has no value for "gh-token"\n/,
  );
  world.writeEnv(
    "private",
    `[secrets]\nexpose = "env"\n[secrets.a]\ncommand = "echo sealed >&2; exit 5"`,
  );
  const failed = await world.aenv.claude("private", ARGS);
  assert.equal(failed.code, 3);
  assert.match(
    failed.stderr,
    /secret "a": its command ended with exit code 5: sealed\n/,
  );
  assert.deepEqual(world.runs(), []);
  assert.equal(world.stub.requests.length, 0);
});

function filesBelow(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    const path = `${directory}/${name}`;
    return isDirectory ? filesBelow(path) : [Deno.readTextFileSync(path)];
  });
}
