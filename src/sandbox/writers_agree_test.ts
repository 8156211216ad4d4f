/**
 * A hundred thousand generated policies: both writers and `explain` say the same of every path, nothing crashes, and a policy
 * that grants more never denies what a smaller one allows.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { AbsPath } from "../base/paths.ts";
import { policyWith } from "../../tests/support/sandbox_policies.ts";
import { type Probe, Profile } from "../../tests/support/sbpl.ts";
import { decidePath } from "./explain.ts";
import {
  FILE_RIGHT,
  type LandlockRules,
  landlockRules,
  NEWEST_LANDLOCK,
} from "./landlock.ts";
import { isIn } from "./path_text.ts";
import { seatbeltProfile } from "./seatbelt.ts";
import { baseRules } from "./seatbelt_base.ts";
import type {
  Access,
  Operation,
  PathGrant,
  ProtectedPath,
  SandboxPolicy,
  SealedPath,
} from "./types.ts";

const RUNS = 100_000;
const WHY = { source: "system", text: "generated" } as const;
const NAMES = ["a", "b", "ab"];
const BASE = baseRules().join("\n");

/** Directories two levels deep, and a file in each. */
const PROBES: readonly Probe[] = NAMES.flatMap((name) => {
  const dirs = [`/${name}`, ...NAMES.map((below) => `/${name}/${below}`)];
  return dirs.flatMap((path) => [
    { path, isDirectory: true },
    { path: `${path}/f`, isDirectory: false },
  ]);
});

const probe = fc.constantFrom(...PROBES);
const access = fc.constantFrom<Access>(
  "read",
  "exec",
  "write",
  "create",
  "device",
  "folders",
);

const grant = fc.record({ probe, access }).map(
  ({ probe: { path, isDirectory }, access }): PathGrant => ({
    path: path as AbsPath,
    kind: isDirectory ? "directory" : "file",
    access,
    why: WHY,
  }),
);

const held = fc.record({ probe, tree: fc.boolean(), missing: fc.boolean() })
  .map(({ probe: { path, isDirectory }, tree, missing }): ProtectedPath => ({
    path: path as AbsPath,
    tree: tree && isDirectory,
    state: isDirectory ? "directory" : missing ? "missing" : "file",
    why: WHY,
  }));

const grants = fc.array(grant, { maxLength: 5 });
const policy = fc.record({
  grants,
  protected: fc.array(held, { maxLength: 2 }),
  sealed: fc.array(probe, { maxLength: 1 }),
});

type Generated = typeof policy extends fc.Arbitrary<infer T> ? T : never;

function make(value: Generated): SandboxPolicy {
  // No policy gives more at, above or below a place where directories alone can be made.
  const given = value.grants.filter((grant) =>
    grant.access !== "folders" ||
    !value.grants.some((other) =>
      other !== grant &&
      (isIn(other.path, grant.path) || isIn(grant.path, other.path))
    )
  );
  const changing = given.filter(({ access }) =>
    access !== "read" && access !== "exec"
  );
  // As policies are built: what is protected lies in a writable place, and no grant makes a sealed place writable but an exception.
  const sealed = value.sealed.filter(({ path }) =>
    !changing.some((grant) => isIn(path, grant.path))
  ).map(({ path }): SealedPath => ({
    path: path as AbsPath,
    except: changing.map((grant) => grant.path).filter((inner) =>
      isIn(inner, path)
    ),
    why: WHY,
  }));
  return policyWith({
    grants: given,
    protected: value.protected.filter(({ path }) =>
      given.some((grant) =>
        grant.access === "write" && path !== grant.path &&
        isIn(path, grant.path)
      )
    ),
    sealed,
  });
}

/** Whether Landlock lets it happen. */
function landlockAllows(
  rules: LandlockRules,
  { path, isDirectory }: Probe,
  operation: Operation,
): boolean {
  const at = operation === "create" || operation === "folder"
    ? path.slice(0, path.lastIndexOf("/"))
    : path;
  const rights = rules.paths.filter((rule) =>
    rule.kind === "directory" ? isIn(at, rule.path) : at === rule.path
  ).reduce((all, rule) => all | rule.access, 0);
  const needed = {
    read: FILE_RIGHT.readFile,
    list: FILE_RIGHT.readDir,
    exec: FILE_RIGHT.execute,
    write: FILE_RIGHT.writeFile | FILE_RIGHT.truncate,
    create: isDirectory
      ? FILE_RIGHT.makeDir | FILE_RIGHT.removeDir
      : FILE_RIGHT.makeReg | FILE_RIGHT.removeFile,
    folder: FILE_RIGHT.makeDir,
    ioctl: FILE_RIGHT.ioctlDev,
  }[operation];
  return (rights & needed) === needed;
}

const SEATBELT: Readonly<Record<Operation, readonly string[]>> = {
  read: ["file-read-data"],
  list: ["file-read-data"],
  exec: ["process-exec"],
  write: ["file-write-data"],
  create: ["file-write-create", "file-write-unlink"],
  folder: ["file-write-create"],
  ioctl: ["file-ioctl"],
};

function seatbeltAllows(
  profile: Profile,
  probe: Probe,
  operation: Operation,
): boolean {
  return SEATBELT[operation].every((name) => profile.allows(name, probe));
}

function profileOf(policy: SandboxPolicy): Profile {
  const { text, parameters } = seatbeltProfile(policy);
  assert.ok(text.startsWith(BASE));
  return new Profile(`(deny default)${text.slice(BASE.length)}`, parameters);
}

function operationsOn({ isDirectory }: Probe): Operation[] {
  return isDirectory
    ? ["list", "folder"]
    : ["read", "write", "exec", "ioctl", "create"];
}

/** Some of the probes, others each time. */
const somewhere = fc.integer({ min: 0, max: 3 });

Deno.test("both writers and explain say the same of every path", () => {
  const property = fc.property(policy, somewhere, (value, offset) => {
    const policy = make(value);
    const rules = landlockRules(policy, NEWEST_LANDLOCK);
    const profile = profileOf(policy);
    for (let i = offset; i < PROBES.length; i += 4) {
      const probe = PROBES[i]!;
      const path = probe.path as AbsPath;
      for (const operation of operationsOn(probe)) {
        const [held, compared] = [true, false].map((isHeld) =>
          decidePath(policy, path, { operation, isHeld: () => isHeld }).allowed
        );
        const where = `${operation} ${path}`;
        assert.equal(landlockAllows(rules, probe, operation), compared, where);
        assert.equal(seatbeltAllows(profile, probe, operation), held, where);
      }
    }
  });
  fc.assert(property, { numRuns: RUNS });
});

Deno.test("a policy with more grants never denies what a smaller one allows", () => {
  const property = fc.property(
    policy,
    grants,
    somewhere,
    (value, more, offset) => {
      const small = make({ ...value, sealed: [] });
      const large = { ...small, grants: [...small.grants, ...more] };
      const [lower, upper] = [small, large].map((policy) => ({
        rules: landlockRules(policy, NEWEST_LANDLOCK),
        profile: profileOf(policy),
      })) as [
        { rules: LandlockRules; profile: Profile },
        { rules: LandlockRules; profile: Profile },
      ];
      for (let i = offset; i < PROBES.length; i += 4) {
        const probe = PROBES[i]!;
        for (const operation of operationsOn(probe)) {
          const where = `${operation} ${probe.path}`;
          if (landlockAllows(lower.rules, probe, operation)) {
            assert.ok(landlockAllows(upper.rules, probe, operation), where);
          }
          if (seatbeltAllows(lower.profile, probe, operation)) {
            assert.ok(seatbeltAllows(upper.profile, probe, operation), where);
          }
        }
      }
    },
  );
  fc.assert(property, { numRuns: RUNS });
});
