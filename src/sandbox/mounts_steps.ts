/** A mount plan as steps of a child in a mount namespace of its own. */
import { readCapabilities } from "../os/capabilities.ts";
import type { Step } from "../os/clone.ts";
import {
  allReadOnlyStep,
  bindSteps,
  NAMESPACE,
  ownMountsStep,
  sameDirectorySteps,
  sameIdSteps,
} from "../os/namespaces.ts";
import type { MountPlan } from "./exec_types.ts";

/** Which namespaces the child needs: who may mount anyway keeps the user namespace, in which owners look as they are. */
export function namespaceFlags(): number {
  const own = NAMESPACE.mount | NAMESPACE.ipc;
  return readCapabilities().canMount ? own : own | NAMESPACE.user;
}

/** What the child does in its namespaces, before it gives up its capabilities. */
export function namespaceSteps(plan: MountPlan): Step[] {
  const writable = plan.writable.map((path) =>
    bindSteps(path, { readOnly: false })
  );
  const inner = [
    ...plan.pinned.map((path) => bindSteps(path, { readOnly: false })),
    ...plan.readOnly.map((path) => bindSteps(path, { readOnly: true })),
  ];
  const directory = sameDirectorySteps();
  return [
    directory.look,
    ...(readCapabilities().canMount ? [] : sameIdSteps()),
    ownMountsStep(),
    // Copies that are taken before stay as they are.
    ...writable.flatMap(({ take }) => take),
    allReadOnlyStep(),
    ...writable.flatMap(({ put }) => put),
    ...inner.flatMap(({ take, put }) => [...take, ...put]),
    directory.go,
  ];
}
