/** Making a policy from what this machine looks like, and knowing what it was made from. */
import { readHostFacts } from "./host_facts.ts";
import { recordLooks } from "./looks.ts";
import type { Recorded } from "./looks.ts";
import { buildPolicy } from "./policy.ts";
import type { PolicyInput } from "./policy_input.ts";
import type { MadePolicy } from "./policy_memo.ts";

/** Looks at everything. Throws (exit 3) when something that is needed or asked for may not be granted. */
export function buildRecorded(
  input: PolicyInput,
): Omit<MadePolicy, "looks"> & { readonly looks: Recorded | undefined } {
  const { value: facts, looks } = recordLooks(() => readHostFacts(input));
  const policy = buildPolicy(input, facts);
  return { policy, projectRoot: facts.projectRoot, looks };
}
