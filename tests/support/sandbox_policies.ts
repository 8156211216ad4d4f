/** Policies for tests, written out. */
import type { AbsPath } from "../../src/base/paths.ts";
import type { SandboxPolicy } from "../../src/sandbox/types.ts";

/** A policy that grants nothing, with some parts replaced. */
export function policyWith(parts: Partial<SandboxPolicy>): SandboxPolicy {
  return {
    domain: "agent",
    os: "linux",
    agent: { name: "none", program: "/bin/true" as AbsPath, keychain: false },
    grants: [],
    protected: [],
    sealed: [],
    network: { mode: "none" },
    unixSockets: [],
    environment: [],
    tmpDir: "/tmp" as AbsPath,
    make: [],
    sets: {},
    scopes: { signals: true, abstractSockets: true },
    leftOut: [],
    ...parts,
  };
}
