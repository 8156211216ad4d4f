/**
 * Seatbelt through a whole launch: `aenv exec` of the compiled program, with commands of the system that act outside for
 * whoever asks. This file runs on macOS alone, by CI: it was written on Linux, where it has never run.
 */
import assert from "node:assert/strict";
import { Aenv } from "../../support/aenv.ts";
import { claudePrograms } from "../../support/agents.ts";
import { type Finished, run, waitFor } from "../../support/process.ts";
import { TempDir } from "../../support/temp.ts";
import { Servers } from "../servers.ts";

/** A home with a key, an env whose sandbox has `lines`, and a repository. Use with `using`. */
class Place extends TempDir {
  readonly home = `${this.path}/home`;
  readonly project = `${this.home}/work`;
  readonly aenv = new Aenv({
    home: this.home,
    cwd: this.project,
    agent: claudePrograms()[0],
    env: { AENV: "e", AENV_QUIET: "1", GITHUB_TOKEN: "of-the-user" },
  });

  constructor(lines = "") {
    super();
    const env = `${this.aenv.root}/envs/e`;
    for (
      const dir of [`${this.project}/.git/hooks`, `${this.home}/.ssh`, env]
    ) {
      Deno.mkdirSync(dir, { recursive: true });
    }
    const manifest =
      `aenv_schema_version = "2"\n\n[env]\nname = "e"\n\n[sandbox]\nenabled = true\n${lines}\n`;
    Deno.writeTextFileSync(`${env}/aenv.toml`, manifest);
    Deno.writeTextFileSync(`${this.home}/.ssh/id_rsa`, "the private key\n");
    const git = new Deno.Command("/usr/bin/git", {
      args: ["init", "-q", this.project],
    });
    if (!git.outputSync().success) throw new Error("git init");
  }

  /** Runs a shell script confined. */
  confined(script: string): Promise<Finished> {
    return this.aenv.run(["exec", "--", "/bin/sh", "-c", script]);
  }

  /** Runs it as the user does. */
  free(script: string): Promise<Finished> {
    const { env } = this.aenv;
    return run("/bin/sh", ["-c", script], { env, cwd: this.project });
  }

  /** Each command fails confined and succeeds free. */
  async refuses(commands: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, command] of Object.entries(commands)) {
      const inside = await this.confined(`${command} >/dev/null 2>&1`);
      assert.notEqual(inside.code, 0, `${name}: ${inside.stderr}`);
      const outside = await this.free(command);
      assert.equal(outside.code, 0, `${name} is no attempt: ${outside.stderr}`);
    }
  }
}

const NO_HOST = 'network = { mode = "hosts", allow = [] }';

for (const lines of ["", NO_HOST]) {
  Deno.test(`macOS: a confined program works in the project and ends as it would, ${lines || "open network"}`, async () => {
    using place = new Place(lines);
    const script = `echo x > new && cat new && git status --short && exit 7`;
    const { code, stdout, stderr } = await place.confined(script);
    assert.deepEqual([code, stdout], [7, "x\n?? new\n"], stderr);
    assert.equal((await place.confined("kill -TERM $$")).code, 143);
  });

  Deno.test(`macOS: the home is not read, its shell files and the hooks are not written, ${lines || "open network"}`, async () => {
    using place = new Place(lines);
    await place.refuses({
      "the key": "cat ~/.ssh/id_rsa",
      "the home": "ls ~",
      "the shell's file": "echo x >> ~/.zshrc",
      "a launch agent": "mkdir -p ~/Library/LaunchAgents",
      "a hook": "echo x > .git/hooks/post-checkout",
      "git's settings": "git config core.fsmonitor ./x",
      "servers": "echo {} > .mcp.json",
    });
  });
}

Deno.test("macOS: a token of the user is not among the variables", async () => {
  using place = new Place();
  const { stdout } = await place.confined("env");
  assert.doesNotMatch(stdout, /GITHUB_TOKEN|of-the-user/);
  assert.match((await place.free("env")).stdout, /GITHUB_TOKEN=of-the-user/);
});

Deno.test("macOS: a host that is not listed is not reached, through the proxy or past it", async () => {
  using place = new Place(NO_HOST);
  using servers = new Servers();
  const port = servers.tcp("127.0.0.1", "HTTP/1.0 200 OK");
  const curl = `/usr/bin/curl -sS -m 10 --http0.9`;
  await place.refuses({
    "past the proxy": `${curl} --noproxy '*' http://127.0.0.1:${port}/`,
  });
  const { code } = await place.confined(`${curl} http://127.0.0.1:${port}/`);
  assert.notEqual(code, 0);
});

Deno.test("macOS: a second sandbox inside gives nothing back", async () => {
  using place = new Place();
  const wide =
    `/usr/bin/sandbox-exec -p '(version 1)(allow default)' /bin/cat ~/.ssh/id_rsa`;
  await place.refuses({ "a wider sandbox": wide });
});

Deno.test("macOS: the pasteboard, other programs and their windows are not reached", async () => {
  using place = new Place();
  await place.refuses({ "the pasteboard": "/usr/bin/pbpaste" });
  for (
    const command of [
      "/usr/bin/open -g -a TextEdit",
      "/usr/bin/osascript -e 'tell application \"Finder\" to get name'",
    ]
  ) {
    const { code } = await place.confined(`${command} >/dev/null 2>&1`);
    assert.notEqual(code, 0, command);
  }
});

Deno.test("macOS: launchd starts nothing for a confined program", async () => {
  using place = new Place();
  const label = (who: string) => `aenv.test.${who}.${Deno.pid}`;
  const submit = (who: string) =>
    `/bin/launchctl submit -l ${
      label(who)
    } -- /usr/bin/touch '${place.path}/${who}'`;
  try {
    await place.confined(submit("inside"));
    await place.free(submit("outside"));
    await waitFor("the job of the user", () => {
      return isThere(`${place.path}/outside`) || undefined;
    });
    assert.ok(!isThere(`${place.path}/inside`));
  } finally {
    for (const who of ["inside", "outside"]) {
      await place.free(`/bin/launchctl remove ${label(who)}`);
    }
  }
});

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
