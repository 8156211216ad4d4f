/** `aenv install` with nothing to do, which is how it is called most often: no words to parse, no source to ask, nothing to lock. */
import { AppError, ExitCode } from "./base/errors.ts";
import { print } from "./cli/printer.ts";
import { SettledCache } from "./launch/settled_cache.ts";
import { realHost } from "./os/host.ts";

/** Returns the exit code; undefined when there is more to do, or something is wrong, which is for the command to say. */
export async function runSettledInstall(): Promise<number | undefined> {
  try {
    const host = realHost();
    const cache = SettledCache.of(host);
    const said = cache?.said();
    if (said !== undefined) {
      const outcome = { data: undefined, text: () => said };
      print({ outcome, json: false });
      return ExitCode.ok;
    }
    // Once more than looks have to be compared.
    const { settledOutcome } = await import("./cli/install_settled.ts");
    const outcome = settledOutcome(undefined, host, cache);
    if (outcome === undefined) return undefined;
    print({ outcome, json: false });
    return ExitCode.ok;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return undefined;
  }
}
