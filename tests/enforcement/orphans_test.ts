/** Orphans: nothing that was confined outlives its supervisor. */
import assert from "node:assert/strict";
import { processIds } from "../../src/os/pidfd.ts";
import { parentOf } from "../../src/os/process.ts";
import { markOf } from "../../src/os/process_marks.ts";
import { waitFor } from "../support/process.ts";
import { asUser, claim, type World } from "./world.ts";

const SUPERVISOR = new URL("./supervisor.ts", import.meta.url).pathname;

/** A tree whose members left their parents, their session, and what would end them. */
const CLINGING = `
  setsid sleep 1000 &
  (trap '' TERM HUP INT; setsid sh -c 'sleep 1000 & sleep 1000' &)
  nohup sleep 1000 > /dev/null 2>&1 &
  (sleep 1000 & exec sleep 1000) &
  touch ready; wait`;

interface Started extends Disposable {
  readonly child: Deno.ChildProcess;
  readonly mark: number;
  marked(): number[];
}

async function start(world: World): Promise<Started> {
  const request = {
    policy: world.policy({ network: { mode: "open" } }),
    program: "/usr/bin/bash",
    args: ["-c", CLINGING],
    env: { PATH: "/usr/bin:/bin" },
    cwd: world.project,
  };
  const cache = `${world.dir.path}/cache`;
  Deno.mkdirSync(cache);
  Deno.chmodSync(cache, 0o777);
  const [program, args] = asUser(world.user, Deno.execPath(), [
    ...["run", "-A", "--no-check", "--no-config", SUPERVISOR],
    JSON.stringify(request),
  ]);
  const child = new Deno.Command(program, {
    args: [...args],
    env: { HOME: cache, DENO_DIR: cache, PATH: "/usr/bin:/bin" },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const { value } = await child.stdout.getReader().read();
  const mark = Number(new TextDecoder().decode(value));
  const marked = () => processIds().filter((pid) => markOf(pid) === mark);
  await waitFor("the tree is there", () => marked().length >= 7 || undefined);
  return {
    child,
    mark,
    marked,
    [Symbol.dispose]: () => {
      for (const pid of [child.pid, ...marked()]) {
        // The test may have ended it already.
        if (isThere(pid)) Deno.kill(pid, "SIGKILL");
      }
    },
  };
}

claim(
  "nothing confined outlives a supervisor that was killed",
  async (world) => {
    // Guards: kill -9 of what watches, after which nothing would watch.
    using started = await start(world);
    started.child.kill("SIGKILL");
    await started.child.status;
    await waitFor(
      "all of it has ended",
      () => alive(started) === 0 || undefined,
    );
  },
);

claim(
  "orphans come to the supervisor, and do not stay as zombies",
  async (world) => {
    // Guards: programs that leave their parents: where Yama is, only an ancestor can answer them.
    using started = await start(world);
    const adopted = await waitFor("they are adopted", () => {
      const found = started.marked().filter((pid) =>
        parentOf(pid) === started.child.pid
      );
      return found.length >= 2 ? found : undefined;
    });
    for (const pid of adopted.slice(1)) Deno.kill(pid, "SIGKILL");
    await waitFor(
      "they are buried",
      () => adopted.slice(1).every((pid) => !isThere(pid)) || undefined,
    );
  },
);

function isThere(pid: number): boolean {
  return processIds().includes(pid);
}

claim("what is confined cannot take off its mark", async (world) => {
  // Guards: a process that would not be found.
  const script = "ulimit -x unlimited; ulimit -x 5; ulimit -x";
  const { output, errors } = await world.run(
    "/usr/bin/bash",
    ["-c", script],
    { supervised: true },
  );
  assert.match(output, /^\d{6,}\n$/);
  assert.equal(errors.match(/cannot modify limit/g)?.length, 2, errors);
});

/** Those that are more than an entry in the table of processes. */
function alive({ marked }: Started): number {
  return marked().filter((pid) => {
    try {
      return !/\) [ZX] /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      // Gone while it was read.
      if (String(error).includes("os error 3")) return false;
      throw error;
    }
  }).length;
}
