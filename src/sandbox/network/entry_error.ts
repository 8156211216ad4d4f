/** What is said of an entry that cannot be used. */
import { AppError } from "../../base/errors.ts";
import { redact } from "../../base/redact.ts";
import { quote } from "../../base/text.ts";

/** The error for an entry of `network.allow`; `state` and `hint` as in every message. */
export function entryError(
  entry: string,
  state: string,
  { hint }: { readonly hint: string },
): AppError {
  return new AppError(
    "NETWORK_RULE_INVALID",
    `Cannot use ${quote(redact(entry))} in [sandbox] network.allow: ${state}`,
    { hint },
  );
}
