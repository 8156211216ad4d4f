import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import "../../tests/support/open_libc.ts";
import { waitFor } from "../../tests/support/process.ts";
import { processCalls } from "./c_process.ts";
import { Children } from "./children.ts";
import { Guardian } from "./guardian.ts";
import { keepInherited } from "./inherited.ts";
import { LogFile } from "./log_file.ts";
import { makePipe } from "./c_process.ts";
import { closeDescriptor, Poller, readSome } from "./poller.ts";
import { isStopped, parentOf, processStart, sleep } from "./process.ts";
import { endGroup, signalGroup } from "./process_group.ts";
import type { AbsPath } from "../base/paths.ts";

const ENV = { PATH: "/usr/bin:/bin" };
const [SIGTERM, SIGKILL, SIGSTOP, SIGCONT] = [15, 9, 19, 18];

function shell(script: string) {
  return { path: "/bin/sh", args: ["-c", script], env: ENV };
}

Deno.test("Children tells how a program ended", async () => {
  using children = new Children();
  const exited = children.start(shell("exit 7"));
  deepStrictEqual(await exited.ended, { kind: "exited", code: 7 });
  const killed = children.start(shell("kill -TERM $$"));
  deepStrictEqual(await killed.ended, { kind: "killed", signal: SIGTERM });
  strictEqual(killed.send(SIGKILL), false);
  strictEqual(processStart(exited.pid), undefined);
});

Deno.test("Children gives just these arguments, variables and descriptors", async () => {
  // Whoever runs the tests may have left some open.
  keepInherited();
  using children = new Children();
  const { from, into } = makePipe();
  const child = children.start({
    path: "/bin/sh",
    args: ["-c", 'echo "$0|$1|$A|$HOME"; ls /proc/self/fd | wc -l', "x", "y z"],
    env: { ...ENV, A: "ä" },
    argv0: "named",
    stdio: [from, into, into],
  });
  await child.ended;
  closeDescriptor(into);
  const buffer = new Uint8Array(1000);
  const text = new TextDecoder().decode(
    buffer.slice(0, readSome(from, buffer)),
  );
  closeDescriptor(from);
  // The three, and the one that ls reads the directory with: what is ours was not passed on.
  deepStrictEqual(text.trim().split("\n"), ["x|y z|ä|", "4"]);
});

Deno.test("Children throws for a program that cannot be run", () => {
  using children = new Children();
  throws(() => children.start({ path: "/nowhere", args: [], env: {} }), {
    code: "AGENT_NOT_STARTED",
    message:
      'Cannot run "/nowhere": it, or the interpreter it names, does not exist',
  });
});

Deno.test("Children tells that a program was stopped, and waits on", async () => {
  using children = new Children();
  const stopped = Promise.withResolvers<number>();
  const child = children.start({
    ...shell("kill -STOP $$; exit 3"),
    onStop: stopped.resolve,
  });
  strictEqual(await stopped.promise, SIGSTOP);
  ok(isStopped(child.pid));
  child.send(SIGCONT);
  deepStrictEqual(await child.ended, { kind: "exited", code: 3 });
});

Deno.test("Children loses no end when many programs end at once", async () => {
  using children = new Children();
  const all = Array.from(
    { length: 50 },
    (_, code) => children.start(shell(`exit ${code}`)),
  );
  const ends = await Promise.all(all.map(({ ended }) => ended));
  deepStrictEqual(ends, all.map((_, code) => ({ kind: "exited", code })));
});

Deno.test("endGroup() ends all of a session, and kills what does not want to", async () => {
  using children = new Children();
  const child = children.start({
    ...shell("trap '' TERM; sleep 60 & sleep 60"),
    ownSession: true,
  });
  await waitFor(
    "the shell's programs",
    () => countChildren(child.pid) === 2 || undefined,
  );
  await endGroup(child.pid, 100);
  deepStrictEqual(await child.ended, { kind: "killed", signal: SIGKILL });
  strictEqual(parentOf(child.pid), undefined);
});

function countChildren(pid: number): number {
  const path = `/proc/${pid}/task/${pid}/children`;
  return Deno.readTextFileSync(path).trim().split(" ").length;
}

Deno.test("a Guardian ends what it was told of when this process lets go, and removes the files", async () => {
  using children = new Children();
  const file = Deno.makeTempFileSync();
  const guardian = new Guardian(children, [file]);
  const [one, two] = [1, 2].map(() =>
    children.start({ ...shell("exec sleep 60"), ownSession: true })
  );
  guardian.add(one!.pid);
  guardian.add(two!.pid);
  guardian.drop(two!.pid);
  guardian[Symbol.dispose]();
  deepStrictEqual(await one!.ended, { kind: "killed", signal: SIGTERM });
  await waitFor("the file's end", () => isGone(file) || undefined);
  ok(signalGroup(two!.pid, SIGKILL));
  await two!.ended;
});

function isGone(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return false;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return true;
  }
}

Deno.test("Poller tells of data and of the end, and of nothing that was removed", async () => {
  using poller = new Poller();
  const { from, into } = makePipe();
  const other = makePipe();
  const news: string[] = [];
  const buffer = new Uint8Array(10);
  poller.add(from, "data", ({ ended }) => {
    const count = readSome(from, buffer);
    news.push(count > 0 ? `${count} bytes` : `end ${ended}`);
    if (count === 0) poller.remove(from);
  });
  poller.add(other.from, "data", () => news.push("other"));
  poller.remove(other.from);
  for (const fd of [into, other.into]) {
    processCalls().write(fd, new Uint8Array(3), 3n);
  }
  await waitFor("the bytes", () => news.length > 0 || undefined);
  closeDescriptor(into);
  await waitFor("the end", () => news.length > 1 || undefined);
  deepStrictEqual(news, ["3 bytes", "end true"]);
  for (const fd of [from, other.from, other.into]) closeDescriptor(fd);
  poller[Symbol.dispose]();
  await poller.finished();
});

Deno.test("Poller does nothing while there is no news", async () => {
  using poller = new Poller();
  const { from, into } = makePipe();
  let calls = 0;
  poller.add(from, "data", () => calls += 1);
  await sleep(50);
  strictEqual(calls, 0);
  poller[Symbol.dispose]();
  await poller.finished();
  for (const fd of [from, into]) closeDescriptor(fd);
});

Deno.test("LogFile makes a closed file, and never writes into one that is there", () => {
  const path = `${Deno.makeTempDirSync()}/log` as AbsPath;
  {
    using log = new LogFile(path);
    log.add("a\n");
    log.add("ä\n");
  }
  strictEqual(Deno.readTextFileSync(path), "a\nä\n");
  strictEqual(Deno.statSync(path).mode! & 0o777, 0o600);
  throws(() => new LogFile(path), { code: "IO" });
});
