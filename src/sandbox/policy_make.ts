/** The policy of a launch: remembered where nothing that it was made from has changed, else made anew. */
import type { PolicyInput } from "./policy_input.ts";
import {
  type MadePolicy,
  memoKey,
  type MemoPlace,
  offerMemo,
  recallPolicy,
} from "./policy_memo.ts";
import { readVariables } from "./policy_system_names.ts";

/**
 * The policy for an input. With `place` it may come from an earlier launch, and can be kept for later ones. Throws (exit 3)
 * when something that is needed or asked for may not be granted.
 */
export async function makePolicy(
  input: PolicyInput,
  place?: MemoPlace,
): Promise<MadePolicy> {
  // Nothing can come to depend on the value of another variable unseen.
  const own = { ...input, variables: readVariables(input) };
  const key = place && memoKey(own, place);
  const known = key === undefined ? undefined : recallPolicy(own, place!, key);
  if (known !== undefined) return known;
  const { buildRecorded } = await import("./policy_build.ts");
  const { looks, ...made } = buildRecorded(own);
  if (key !== undefined && looks !== undefined) {
    offerMemo(made, looks, { ...place!, key });
  }
  return looks === undefined ? made : { ...made, looks };
}
