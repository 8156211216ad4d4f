/** A project with protected files, the place of its record, and sessions in it. */
import type { AbsPath } from "../../src/base/paths.ts";
import { closeDescriptor } from "../../src/os/fds.ts";
import { markOf } from "../../src/os/marks.ts";
import type { Change } from "../../src/sandbox/protect.ts";
import { beginProtected } from "../../src/sandbox/protect_begin.ts";
import { type Ended, endProtected } from "../../src/sandbox/protect_record.ts";
import {
  type BegunSession,
  sessionName,
} from "../../src/sandbox/protect_open.ts";
import { SandboxWorld } from "./sandbox_world.ts";

/** Microseconds: more than the kernel's clock for files may be behind. */
const CLOCK_STEPS = 30_000;

/** Use with `using`. */
export class Protected extends SandboxWorld {
  readonly place = {
    dir: this.at("home/.aenv/envs/e/protect"),
    project: this.at("project"),
  };

  constructor() {
    super();
    this.dir("project/.git/objects");
    for (const name of ["HEAD", "config"]) {
      this.file(`project/.git/${name}`, name);
    }
    this.dir("project/.git/refs");
    this.file("project/.git/hooks/pre-commit", "#!/bin/sh\n");
    this.file("project/.vscode/tasks.json", "{}");
  }

  readonly begun = new Map<string, BegunSession>();
  /** What the last session to begin was told. */
  touched: readonly AbsPath[] = [];

  /** Waits until what is done from now on is later than all before, by the kernel's clock too. */
  settle(): void {
    const tick = () => markOf(this.file("project/tick"))!.ctime;
    const first = tick();
    while (tick() - first < CLOCK_STEPS);
  }

  async begin(
    session = sessionName(Deno.pid),
    paths = this.policy().protected,
  ): Promise<readonly Change[]> {
    // What was made for the test is not the session's.
    if (this.begun.size === 0) this.settle();
    const found = await beginProtected(this.place, paths, session);
    if (found.session) this.begun.set(session, found.session);
    this.touched = found.touched;
    return found.changes;
  }

  async end(session = sessionName(Deno.pid)): Promise<string[]> {
    return this.shown((await this.ended(session)).changes);
  }

  /** As somebody does who sees to the end. */
  async ended(session = sessionName(Deno.pid)): Promise<Ended> {
    const begun = this.begun.get(session)!;
    try {
      return await endProtected(begun);
    } finally {
      this.kill(session);
    }
  }

  /** Without anybody who sees to the end. */
  kill(session: string): void {
    const { held, seen } = this.begun.get(session)!;
    this.begun.delete(session);
    for (const fd of [held, seen?.fd]) {
      if (fd !== undefined) closeDescriptor(fd);
    }
  }

  override [Symbol.dispose](): void {
    for (const name of [...this.begun.keys()]) this.kill(name);
    super[Symbol.dispose]();
  }

  shown(changes: readonly Change[]): string[] {
    return changes.map(({ change, path }) =>
      `${change} ${path.slice(this.place.project.length + 1)}`
    );
  }
}
