/** What somebody meets who makes an environment and knows nothing of sandboxes: it confines, says so, and says what to do. */
import assert from "node:assert/strict";
import { Aenv } from "../support/aenv.ts";
import { claudePrograms } from "../support/agents.ts";
import { run } from "../support/process.ts";
import { StubApi } from "../support/stub_api.ts";
import { TempDir } from "../support/temp.ts";
import { WorkWorld } from "./sandbox_work_world.ts";

/** A home with a project in it, and an agent behind the shims. */
class NewHome extends TempDir {
  readonly project = `${this.path}/code/app`;
  readonly aenv: Aenv;

  constructor(env: Readonly<Record<string, string>> = {}) {
    super();
    Deno.mkdirSync(this.project, { recursive: true });
    const [agent] = claudePrograms();
    this.aenv = new Aenv({ home: this.path, cwd: this.project, agent, env });
  }
}

Deno.test("an env as `new` makes it confines its agent, in one line, and one with --no-sandbox does not", async () => {
  await using stub = new StubApi();
  const key = "sk-ant-api03-x";
  using home = new NewHome({
    ANTHROPIC_BASE_URL: stub.url,
    ANTHROPIC_API_KEY: key,
  });
  await home.aenv.must(["init", "--no-default"]);
  await home.aenv.must(["new", "shut"]);
  await home.aenv.must(["new", "open", "--no-sandbox"]);
  for (const _ of [1, 2]) {
    const { code, stderr } = await home.aenv.claude("shut", ["-p", "hello"]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^aenv: confined: it writes to "~\/code\/app".*\n$/);
  }
  const plain = await home.aenv.claude("open", ["-p", "hello"]);
  assert.deepEqual([plain.code, plain.stderr], [0, ""]);
  const touch = ["--", "sh", "-c", "touch ~/made"];
  assert.notEqual(
    (await home.aenv.run(["exec", "-E", "shut", ...touch])).code,
    0,
  );
  await home.aenv.must(["exec", "-E", "open", ...touch]);
});

/** Runs a program for which the kernel has no Landlock. */
const WITHOUT_LANDLOCK = `
import ctypes, os, struct, sys
code = b"".join(struct.pack("HBBI", *line) for line in (
    (0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x50000 | 38), (0x06, 0, 0, 0x7fff0000)))
memory = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(memory))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
`;

Deno.test({
  name:
    "where the kernel confines nothing, envs are made all the same, do not start, and it is said what to type",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using home = new NewHome();
    await home.aenv.must(["init", "--no-default"]);
    const without = (...words: string[]) =>
      run("/usr/bin/python3", ["-c", WITHOUT_LANDLOCK, ...words], {
        env: home.aenv.env,
        cwd: home.project,
      });
    const aenv = `${home.aenv.root}/shims/aenv`;
    for (const made of [["new", "e"], ["init", "--here"]]) {
      const { code, stdout, stderr } = await without(aenv, ...made);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /will not start here: this kernel has no Landlock/);
      assert.match(stdout, /write enabled = false under \[sandbox\]/);
    }
    for (
      const words of [
        [`${home.aenv.root}/shims/claude`, "-p", "hello"],
        [aenv, "exec", "-E", "e", "--", "true"],
        [aenv, "verify"],
        [aenv, "sandbox", "probe"],
      ]
    ) {
      const { code, stderr } = await without(...words);
      assert.deepEqual([code, words], [3, words], stderr);
      assert.match(
        stderr,
        /no Landlock, or has it switched off\n.*--no-sandbox/,
      );
    }
    const open = await without(aenv, "new", "open", "--no-sandbox");
    assert.doesNotMatch(open.stdout, /Landlock/);
    const words = ["exec", "-E", "open", "--", "echo", "runs"];
    assert.equal((await without(aenv, ...words)).stdout, "runs\n");
  },
});

Deno.test({
  name:
    "directories of others in the project, which the user cannot enter, stop no launch",
  // Only root can make such a directory.
  ignore: Deno.uid() !== 0,
  async fn() {
    using world = await WorkWorld.open("somebody");
    Deno.mkdirSync(`${world.project}/data/inner`, { recursive: true });
    Deno.chmodSync(`${world.project}/data`, 0o700);
    for (const _ of [1, 2]) {
      assert.equal(await world.prints("echo > made; ls"), "data\nmade");
    }
  },
});
