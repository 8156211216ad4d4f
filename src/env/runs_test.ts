import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { type Dirs, dirsAt } from "../base/dirs.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { hostWith } from "../os/host.ts";
import { processStart } from "../os/process.ts";
import { beginRun, endRun, liveRuns, nameAgent, runDirFor } from "./runs.ts";

const RUN = { label: "e", slotName: "e", agent: "claude", cwd: "/p" };

function inHome(body: (dirs: Dirs) => void): void {
  using temp = new TempDir();
  body(dirsAt(join(temp.path as AbsPath, "home")));
}

function labels(dirs: Dirs): string[] {
  return liveRuns(dirs).map((run) => run.label);
}

Deno.test("beginRun() writes down this process, and endRun() forgets it", () => {
  inHome((dirs) => {
    const host = hostWith({ env: {} });
    const dir = beginRun(dirs, host, RUN);
    strictEqual(dir, runDirFor(dirs, host));
    deepStrictEqual(liveRuns(dirs), [
      { pid: Deno.pid, start: processStart(Deno.pid), ...RUN, dir },
    ]);
    endRun(dir);
    deepStrictEqual(labels(dirs), []);
  });
});

Deno.test("beginRun() clears what a failed launch of this very process left", () => {
  inHome((dirs) => {
    const host = hostWith({ env: {} });
    const dir = beginRun(dirs, host, RUN);
    Deno.writeTextFileSync(join(dir, "settings.json"), "old");
    beginRun(dirs, host, { ...RUN, label: "again" });
    deepStrictEqual([...Deno.readDirSync(dir)].map((e) => e.name), [
      "run.json",
    ]);
    deepStrictEqual(labels(dirs), ["again"]);
  });
});

Deno.test("liveRuns() removes the directories of processes that are gone, also of a reused id", () => {
  inHome((dirs) => {
    const dead = join(dirs.runs, "4194304-1");
    const reused = join(dirs.runs, `${Deno.pid}-1`);
    for (const dir of [dead, reused]) Deno.mkdirSync(dir, { recursive: true });
    deepStrictEqual(liveRuns(dirs), []);
    deepStrictEqual([...Deno.readDirSync(dirs.runs)], []);
  });
});

Deno.test("liveRuns() keeps the launch of an agent that outlived its launcher, and no longer", () => {
  inHome((dirs) => {
    const dir = beginRun(dirs, hostWith({ env: {} }), RUN);
    nameAgent(dir, Deno.pid);
    const own = { pid: Deno.pid, start: processStart(Deno.pid)! };
    deepStrictEqual(liveRuns(dirs)[0]!.agentProcess, own);
    const orphaned = join(dirs.runs, "4194304-1");
    Deno.renameSync(dir, orphaned);
    deepStrictEqual(liveRuns(dirs)[0]!.dir, orphaned);
    const record = join(orphaned, "run.json");
    const text = Deno.readTextFileSync(record);
    Deno.writeTextFileSync(record, text.replaceAll(own.start, "1"));
    deepStrictEqual(liveRuns(dirs), []);
    deepStrictEqual([...Deno.readDirSync(dirs.runs)], []);
  });
});

Deno.test("liveRuns() leaves alone what it did not make", () => {
  inHome((dirs) => {
    Deno.mkdirSync(join(dirs.runs, "notes"), { recursive: true });
    Deno.writeTextFileSync(join(dirs.runs, "1-1"), "a file");
    deepStrictEqual(liveRuns(dirs), []);
    strictEqual([...Deno.readDirSync(dirs.runs)].length, 2);
  });
});

Deno.test("liveRuns() keeps a live process whose record is not whole yet", () => {
  inHome((dirs) => {
    const dir = beginRun(dirs, hostWith({ env: {} }), RUN);
    const record = join(dir, "run.json");
    for (const text of ["", '{"pid":', '{"pid":1}']) {
      Deno.writeTextFileSync(record, text);
      deepStrictEqual(liveRuns(dirs), []);
      strictEqual(Deno.statSync(dir).isDirectory, true);
    }
    Deno.removeSync(record);
    deepStrictEqual(liveRuns(dirs), []);
    strictEqual(Deno.statSync(dir).isDirectory, true);
  });
});

Deno.test("beginRun() clears away what dead launches left", () => {
  inHome((dirs) => {
    const dead = join(dirs.runs, "1-0");
    Deno.mkdirSync(dead, { recursive: true });
    beginRun(dirs, hostWith({ env: {} }), RUN);
    throws(() => Deno.lstatSync(dead), Deno.errors.NotFound);
  });
});

Deno.test("liveRuns() is empty before the first launch", () => {
  inHome((dirs) => deepStrictEqual(liveRuns(dirs), []));
});
