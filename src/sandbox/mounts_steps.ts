/** A mount plan as steps of a child in a mount namespace of its own. */
import { readCapabilities } from "../os/capabilities.ts";
import type { Step } from "../os/clone.ts";
import {
  bindSteps,
  NAMESPACE,
  ownMountsStep,
  sameIdSteps,
} from "../os/namespaces.ts";
import type { MountPlan } from "./exec_types.ts";

/** Which namespaces the child needs: who may mount anyway keeps the user namespace, in which owners look as they are. */
export function namespaceFlags(): number {
  return readCapabilities().canMount
    ? NAMESPACE.mount
    : NAMESPACE.mount | NAMESPACE.user;
}

/** What the child does in its namespaces, before it gives up its capabilities. */
export function namespaceSteps(plan: MountPlan): Step[] {
  return [
    ...(readCapabilities().canMount ? [] : sameIdSteps()),
    ownMountsStep(),
    ...plan.pinned.flatMap((path) => bindSteps(path, { readOnly: false })),
    ...plan.readOnly.flatMap((path) => bindSteps(path, { readOnly: true })),
  ];
}
