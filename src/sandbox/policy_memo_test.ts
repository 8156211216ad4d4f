import assert from "node:assert/strict";
import fc from "fast-check";
import {
  SandboxWorld,
  type WorldOptions,
} from "../../tests/support/sandbox_world.ts";
import {
  anyChange,
  applyChange,
  busyOptions,
} from "../../tests/support/host_changes.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { lookAt } from "../os/looks.ts";
import { readHostFacts } from "./host_facts.ts";
import { readKernelFacts } from "./kernel_facts.ts";
import { buildPolicy } from "./policy.ts";
import type { PolicyInput } from "./policy_input.ts";
import { makePolicy } from "./policy_make.ts";
import {
  memoKey,
  type MemoPlace,
  readyEnforcement,
  recallPolicy,
  rememberPolicy,
} from "./policy_memo.ts";
import type { SandboxPolicy } from "./types.ts";

const LINUX = { ignore: Deno.build.os !== "linux" };
const HOUR = 3600e6;

/** Launches in one world, each with a run directory of its own. */
class Launches implements Disposable {
  readonly world = new SandboxWorld();
  readonly slot = this.world.dir("home/.aenv/envs/e");
  #count = 100;

  constructor() {
    this.world.dir("home/.aenv/runs");
    Deno.chmodSync(this.slot, 0o700);
  }

  [Symbol.dispose](): void {
    this.world[Symbol.dispose]();
  }

  /** The input and place of the next launch. */
  next(options: WorldOptions = {}): { input: PolicyInput; place: MemoPlace } {
    const name = `${++this.#count}-777`;
    const runDir = this.world.at(`home/.aenv/runs/${name}`);
    const base = this.world.input(options);
    const input: PolicyInput = {
      ...base,
      places: [...base.places, {
        path: runDir,
        access: "read",
        why: { source: "run", text: "generated for this launch" },
        make: true,
      }],
      tmpDir: join(runDir, "tmp"),
    };
    const place = {
      dir: join(this.slot, "sandbox"),
      runDir,
      self: Deno.execPath() as AbsPath,
      kernel: { ...readKernelFacts(), uid: Deno.uid()! },
      now: Date.now() * 1000 + HOUR,
    };
    return { input, place };
  }

  /** A launch that leaves a memo where it may. */
  async launch(options: WorldOptions = {}): Promise<SandboxPolicy> {
    const { input, place } = this.next(options);
    const { policy } = await makePolicy(input, place);
    rememberPolicy(policy);
    this.#untilTimeMoves();
    return policy;
  }

  /** The policy that is remembered for the next launch, beside the one that looking anew gives; the first is undefined where none is. */
  both(options: WorldOptions = {}) {
    const { input, place } = this.next(options);
    const key = memoKey(input, place);
    const known = key && recallPolicy(input, place, key)?.policy;
    const fresh = outcome(() => buildPolicy(input, readHostFacts(input)));
    return { known, fresh, place };
  }

  /** Until a change gets another time than the last one: older kernels count in steps of some milliseconds. */
  #untilTimeMoves(): void {
    const path = this.world.file("clock", "");
    const time = () => lookAt(path, "F")![5]!;
    const first = time();
    const deadline = Date.now() + 5000;
    while (Date.now() < deadline) {
      Deno.chmodSync(path, 0o600);
      if (time() > first) return;
    }
    throw new Error("the clock of the file system stands still");
  }
}

function outcome(make: () => SandboxPolicy): SandboxPolicy | string {
  try {
    return make();
  } catch (error) {
    return String(error);
  }
}

Deno.test({
  name:
    "recallPolicy() gives what looking anew gives, or nothing, after any changes of the host",
  ...LINUX,
  async fn() {
    let [hits, misses] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyChange, { maxLength: 3 }), { maxLength: 6 }),
        async (rounds) => {
          using launches = new Launches();
          const { world } = launches;
          const options = busyOptions(world);
          for (const changes of [[], ...rounds, []]) {
            try {
              await launches.launch(options);
            } catch (error) {
              // The policy is refused; looking anew must say so too.
              assert.equal(launches.both(options).fresh, String(error));
            }
            for (const one of changes) applyChange(world, one);
            const { known, fresh } = launches.both(options);
            if (known === undefined) misses++;
            else {
              hits++;
              assert.deepEqual(known, fresh);
            }
          }
        },
      ),
      { numRuns: 50 },
    );
    assert.ok(hits > 50 && misses > 25, `${hits} hits, ${misses} misses`);
  },
});

Deno.test({
  name:
    "recallPolicy() takes nothing of the launch before but what stays the same",
  ...LINUX,
  async fn() {
    using launches = new Launches();
    await launches.launch();
    const first = await launches.launch();
    const { known, fresh, place } = launches.both();
    assert.deepEqual(known, fresh);
    assert.notEqual(known?.tmpDir, first.tmpDir);
    assert.equal(known?.tmpDir, join(place.runDir, "tmp"));
    const text = JSON.stringify(known);
    assert.ok(!text.includes(first.tmpDir), "the run directory before");
  },
});

Deno.test({
  name:
    "recallPolicy() knows nothing when the launch, the program or the kernel is another",
  ...LINUX,
  async fn() {
    using launches = new Launches();
    const { world } = launches;
    await launches.launch();
    await launches.launch();
    assert.ok(launches.both().known);
    const wishes = { network: { mode: "none" } } as const;
    const others: WorldOptions[] = [
      { wishes },
      { wishes: { protect: ["x"] } },
      { input: { uid: 4711 } },
      { input: { home: world.at("elsewhere") } },
      { input: { variables: { PATH: "/usr/bin" } } },
      { input: { environment: [{ name: "A", passes: false, why: "" }] } },
      { input: { domain: "mcp.x" } },
      { cwd: "other" },
    ];
    for (const other of others) {
      assert.equal(launches.both(other).known, undefined);
    }
    const { input, place } = launches.next();
    const { kernel } = place;
    const places: Partial<MemoPlace>[] = [
      { self: "/bin/sh" as AbsPath },
      { kernel: { ...kernel, release: "7.0" } },
      { kernel: { ...kernel, landlockAbi: 1 } },
    ];
    for (const other of places) {
      const moved = { ...place, ...other };
      const key = memoKey(input, moved)!;
      assert.equal(recallPolicy(input, moved, key), undefined);
    }
  },
});

Deno.test({
  name:
    "recallPolicy() believes no memo that others may write, that is a link, or that is damaged",
  ...LINUX,
  async fn() {
    using launches = new Launches();
    await launches.launch();
    await launches.launch();
    const { input, place } = launches.next();
    const key = memoKey(input, place)!;
    const isKnown = () => recallPolicy(input, place, key) !== undefined;
    assert.ok(isKnown());
    const text = Deno.readTextFileSync(key.path);
    Deno.chmodSync(key.path, 0o620);
    assert.ok(!isKnown());
    Deno.chmodSync(key.path, 0o600);
    Deno.chmodSync(place.dir, 0o720);
    assert.ok(!isKnown());
    Deno.chmodSync(place.dir, 0o700);
    assert.ok(isKnown());
    const aside = launches.world.at("aside");
    Deno.renameSync(key.path, aside);
    Deno.symlinkSync(aside, key.path);
    assert.ok(!isKnown());
    Deno.removeSync(key.path);
    for (const size of [0, 1, 100, text.length - 1]) {
      Deno.writeTextFileSync(key.path, text.slice(0, size), { mode: 0o600 });
      assert.ok(!isKnown(), `${size} bytes`);
    }
    Deno.writeTextFileSync(key.path, text);
    assert.ok(isKnown());
  },
});

Deno.test({
  name:
    "rememberPolicy() keeps nothing that was read while it was still being changed, and no text that looks like a mark",
  ...LINUX,
  async fn() {
    using launches = new Launches();
    const { world } = launches;
    await launches.launch();
    world.file("home/.npmrc", "a = b\n");
    const { input, place } = launches.next();
    const now = Date.now() * 1000;
    const { policy } = await makePolicy(input, { ...place, now });
    rememberPolicy(policy);
    assert.equal(launches.both().known, undefined);
    await launches.launch();
    assert.ok(launches.both().known);
    world.dir("project/\\u0000run/.git");
    await launches.launch();
    assert.equal(launches.both().known, undefined);
  },
});

Deno.test({
  name: "readyEnforcement() comes back with the policy that it was kept with",
  ...LINUX,
  async fn() {
    using launches = new Launches();
    await launches.launch();
    Deno.removeSync(launches.next().place.dir, { recursive: true });
    const { input, place } = launches.next();
    const { policy } = await makePolicy(input, place);
    const ready = {
      enforcement: {
        landlock: {
          ...{ abi: 6, handledFiles: 1, handledNetwork: 0, scoped: 3 },
          paths: [{
            path: policy.tmpDir,
            kind: "directory" as const,
            access: 1,
          }],
        },
        seccomp: {} as never,
        mediation: undefined,
        mounts: undefined,
        protections: [],
      },
      filter: new Uint8Array([1, 2, 255]),
      trial: "/trial" as AbsPath,
    };
    rememberPolicy(policy, ready);
    const { known } = launches.both();
    const found = readyEnforcement(known!)!;
    assert.deepEqual(found.filter, ready.filter);
    assert.equal(found.enforcement.landlock.paths[0]!.path, known!.tmpDir);
    assert.notEqual(known!.tmpDir, policy.tmpDir);
    assert.equal(readyEnforcement(policy), undefined);
  },
});
