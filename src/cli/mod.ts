/** The command line of `aenv`. */
import { ExitCode } from "../base/errors.ts";
import type { Host } from "../os/host.ts";
import { print } from "./printer.ts";
import { reportError } from "./report_error.ts";
import type { Routed } from "./router.ts";

/** Runs one command line and returns its exit code. */
export async function runCli(
  args: readonly string[],
  host: Host,
): Promise<number> {
  try {
    const routed = await dispatch(args, host);
    print(routed);
    return routed.outcome.exitCode ?? ExitCode.ok;
  } catch (error) {
    return reportError(error);
  }
}

/** Prompts and status lines ask `aenv current`: it has nothing to parse, so the parser is not loaded. */
async function dispatch(args: readonly string[], host: Host): Promise<Routed> {
  if (args.length === 1 && args[0] === "current") {
    const { command } = await import("./commands/current.ts");
    const outcome = await command.run({ args: [], options: {} }, host, {
      table: [],
    });
    return { outcome, json: false };
  }
  const { route } = await import("./router.ts");
  return await route(args, host);
}
