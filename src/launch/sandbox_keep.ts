/** Keeping a launch for later ones. */
import {
  type LaunchFacts,
  type QuickPlace,
  rememberLaunch,
  rememberVariables,
} from "../sandbox/mod.ts";
import { decideVariables, type SandboxRequest } from "./sandbox_input.ts";
import { wishesOf } from "./sandbox_wishes.ts";

/** Keeps it, unless what becomes of a variable has to be looked at each time. */
export function keepLaunch(
  { place, request: { env, other }, ...known }:
    & Pick<LaunchFacts, "looks" | "values" | "notes">
    & { readonly place: QuickPlace; readonly request: SandboxRequest },
  made: Pick<LaunchFacts, "policy" | "project" | "summary" | "ready">,
): void {
  const wishes = wishesOf(env.manifest, {
    server: undefined,
    variables: place.variables,
    tmpDir: made.policy.tmpDir,
  });
  const variables = rememberVariables(
    place.variables,
    (values) => decideVariables(values, { wishes, other }),
  );
  if (variables === undefined) return;
  rememberLaunch(place, { ...known, ...made, variables });
}
