import assert from "node:assert/strict";
import fc from "fast-check";
import {
  anyChange,
  applyChange,
  busyOptions,
} from "../../tests/support/host_changes.ts";
import {
  SandboxWorld,
  type WorldOptions,
} from "../../tests/support/sandbox_world.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { readMachine } from "../os/machine.ts";
import { planEnforcement } from "./exec_plan.ts";
import { filterProgram } from "./exec_steps.ts";
import { readHostFacts } from "./host_facts.ts";
import { readKernelFacts } from "./kernel_facts.ts";
import { buildPolicy } from "./policy.ts";
import { makePolicy } from "./policy_make.ts";
import {
  type QuickLaunch,
  quickName,
  type QuickPlace,
  recallLaunch,
} from "./quick.ts";
import { packParts, unpackParts } from "./quick_format.ts";
import { rememberLaunch } from "./quick_make.ts";
import type { SandboxPolicy } from "./types.ts";

const LINUX = { ignore: Deno.build.os !== "linux" };
const HOUR = 3600e6;
const VARIABLES = { PATH: "/usr/bin", LANG: "C", GITHUB_TOKEN: "x" };

/** Launches in one world, each with a run directory of its own. */
class Launches implements Disposable {
  readonly world = new SandboxWorld();
  readonly trial = this.world.file("home/.aenv/probes/trial");
  readonly dir: AbsPath;
  #count = 100;

  constructor() {
    this.world.dir("home/.aenv/runs");
    this.dir = join(this.world.dir("home/.aenv/envs/e"), "sandbox");
    Deno.chmodSync(this.world.at("home/.aenv/envs/e"), 0o700);
  }

  [Symbol.dispose](): void {
    this.world[Symbol.dispose]();
  }

  next(options: WorldOptions = {}) {
    const runDir = this.world.at(`home/.aenv/runs/${++this.#count}-777`);
    const base = this.world.input(options);
    const why = { source: "run", text: "generated" } as const;
    const own = { path: runDir, access: "read", why, make: true } as const;
    const tmpDir = join(runDir, "tmp");
    const input = { ...base, places: [...base.places, own], tmpDir };
    const place: QuickPlace = {
      ...{ dir: this.dir, runDir, key: "key", names: ["here"] },
      self: Deno.execPath() as AbsPath,
      variables: VARIABLES,
      now: Date.now() * 1000 + HOUR,
    };
    return { input, place };
  }

  /** A launch that is remembered where it may be. */
  async launch(options: WorldOptions = {}): Promise<void> {
    const { input, place } = this.next(options);
    const { policy, projectRoot, looks } = await makePolicy(input);
    const kernel = readKernelFacts();
    const enforcement = planEnforcement(policy, kernel, {
      supervisor: undefined,
    });
    const ready = {
      ...{ enforcement, trial: this.trial },
      filter: filterProgram(enforcement),
    };
    if (looks === undefined) return;
    rememberLaunch(place, {
      ...{ policy, ready, looks: [looks], project: projectRoot },
      variables: { names: ["GITHUB_TOKEN", "LANG", "PATH"], codes: "0vv" },
      values: { PATH: "/usr/bin", SSL_CERT_FILE: null },
      ...{ notes: ["a note"], summary: "confined" },
    });
  }

  /** What is remembered for the next launch, and the policy that looking anew gives. */
  recall(
    changed: Partial<QuickPlace> = {},
    options: WorldOptions = {},
  ): { known: QuickLaunch | undefined; fresh: () => SandboxPolicy } {
    const { input, place } = this.next(options);
    return {
      known: recallLaunch({ ...place, ...changed }),
      fresh: () => buildPolicy(input, readHostFacts(input)),
    };
  }

  /** The file of the launch. */
  get file(): string {
    const machine = readMachine(Deno.execPath())!;
    return join(this.dir, quickName(["here"], machine));
  }
}

function withoutVariables(
  { environment: _, ...rest }: SandboxPolicy,
): Omit<SandboxPolicy, "environment"> {
  return JSON.parse(JSON.stringify(rest));
}

function outcome(fresh: () => SandboxPolicy): unknown {
  try {
    return withoutVariables(fresh());
  } catch (error) {
    return String(error);
  }
}

Deno.test({
  name:
    "recallLaunch() gives the policy that looking anew gives, and its rules",
  ...LINUX,
  async fn() {
    using launches = new Launches();
    await launches.launch();
    const { known, fresh } = launches.recall();
    assert.ok(known !== undefined);
    const policy = withoutVariables(fresh());
    assert.deepEqual(known.policy(), policy);
    assert.deepEqual(known.passing, { LANG: "C", PATH: "/usr/bin" });
    const { info, paths, access } = known;
    const granted = [
      ...new TextDecoder().decode(paths).split("\0").slice(0, -1),
      ...info.rules.map(({ path }) => path),
    ];
    assert.deepEqual(
      granted.sort(),
      policy.grants.map(({ path }) => path as string).sort(),
    );
    assert.equal(access.length + info.rules.length, policy.grants.length);
    assert.equal(info.tmpDir, policy.tmpDir);
    assert.deepEqual(info.make, [policy.tmpDir]);
  },
});

Deno.test({
  name:
    "recallLaunch() gives what looking anew gives, or nothing, after any changes of the host",
  ...LINUX,
  async fn() {
    let [hits, misses] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyChange, { maxLength: 3 }), { maxLength: 6 }),
        async (rounds) => {
          using launches = new Launches();
          const options = busyOptions(launches.world);
          for (const changes of [[], ...rounds, []]) {
            try {
              await launches.launch(options);
            } catch (error) {
              const { fresh } = launches.recall({}, options);
              assert.equal(outcome(fresh), String(error));
            }
            for (const one of changes) applyChange(launches.world, one);
            const { known, fresh } = launches.recall({}, options);
            if (known === undefined) misses++;
            else {
              hits++;
              assert.deepEqual(known.policy(), outcome(fresh));
            }
          }
        },
      ),
      { numRuns: 40 },
    );
    assert.ok(hits > 40 && misses > 20, `${hits} hits, ${misses} misses`);
  },
});

Deno.test({
  name: "recallLaunch() gives nothing to a launch that is another one",
  ...LINUX,
  async fn() {
    using launches = new Launches();
    await launches.launch();
    const others: Partial<QuickPlace>[] = [
      { key: "another" },
      { names: ["there"] },
      { self: "/bin/sh" as AbsPath },
      { variables: { ...VARIABLES, PATH: "/bin" } },
      { variables: { ...VARIABLES, SSL_CERT_FILE: "/x" } },
      { variables: { ...VARIABLES, LANG: `ghp_${"0".repeat(36)}` } },
      { variables: { PATH: "/usr/bin", LANG: "C" } },
    ];
    for (const other of others) {
      const { known } = launches.recall(other);
      assert.equal(known, undefined, JSON.stringify(other));
    }
    const variables = { ...VARIABLES, GITHUB_TOKEN: "y", LANG: "de" };
    const { known } = launches.recall({ variables });
    assert.deepEqual(known?.passing, { LANG: "de", PATH: "/usr/bin" });
  },
});

Deno.test({
  name:
    "recallLaunch() gives nothing where others could have written, or links lead",
  ...LINUX,
  async fn() {
    using launches = new Launches();
    await launches.launch();
    const { dir, file } = launches;
    const isKnown = () => launches.recall().known !== undefined;
    assert.ok(isKnown());
    Deno.chmodSync(file, 0o640);
    assert.ok(!isKnown(), "others may read it");
    Deno.chmodSync(file, 0o600);
    Deno.chmodSync(dir, 0o770);
    assert.ok(!isKnown(), "others may write beside it");
    Deno.chmodSync(dir, 0o700);
    Deno.renameSync(file, `${file}.moved`);
    Deno.symlinkSync(`${file}.moved`, file);
    assert.ok(!isKnown(), "a link");
    Deno.removeSync(file);
    Deno.renameSync(`${file}.moved`, file);
    assert.ok(isKnown());
    Deno.renameSync(dir, `${dir}.moved`);
    Deno.symlinkSync(`${dir}.moved`, dir);
    assert.ok(!isKnown(), "a link to its directory");
    Deno.removeSync(dir);
    Deno.renameSync(`${dir}.moved`, dir);
    if (Deno.uid() === 0) {
      Deno.chownSync(file, 1000, 1000);
      assert.ok(!isKnown(), "another user's");
      Deno.chownSync(file, 0, 0);
    }
    Deno.removeSync(launches.trial);
    assert.ok(!isKnown(), "it was not tried");
  },
});

Deno.test({
  name: "recallLaunch() gives nothing from a file that was cut or grown",
  ...LINUX,
  async fn() {
    using launches = new Launches();
    await launches.launch();
    const whole = Deno.readFileSync(launches.file);
    const write = (bytes: Uint8Array) =>
      Deno.writeFileSync(launches.file, bytes);
    for (let end = 0; end < whole.length; end += 61) {
      write(whole.subarray(0, end));
      assert.equal(launches.recall().known, undefined, `${end}`);
    }
    write(new Uint8Array([...whole, 0]));
    assert.equal(launches.recall().known, undefined);
    write(whole);
    assert.ok(launches.recall().known !== undefined);
  },
});

Deno.test("unpackParts() gives what packParts() was given, and nothing from what it did not make", () => {
  const part = fc.uint8Array({ maxLength: 40 });
  fc.assert(fc.property(fc.array(part, { maxLength: 9 }), (list) => {
    const parts = list.map((bytes) => new Uint8Array(bytes));
    const bytes = packParts(parts);
    assert.deepEqual(unpackParts(bytes, parts.length), parts);
    const shorter = bytes.slice(0, bytes.length - 1);
    assert.equal(unpackParts(shorter, parts.length), undefined);
  }));
  const anything = fc.uint8Array({ maxLength: 200 });
  fc.assert(fc.property(anything, fc.array(fc.nat(60)), (bytes, lengths) => {
    const file = new Uint8Array(48 + bytes.length);
    new Int32Array(file.buffer, 0, 2).set([0x766e6561, 2]);
    new Int32Array(file.buffer, 8, 9).set(lengths.slice(0, 9));
    file.set(bytes, 48);
    const parts = unpackParts(file, 9);
    // Whatever it says of itself, no part reaches out of it.
    assert.ok(
      (parts ?? []).every(({ byteOffset, length }) =>
        byteOffset + length <= file.length
      ),
    );
  }));
});
