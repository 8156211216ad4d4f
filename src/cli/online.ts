/** The network as commands use it: with progress on a terminal, and stopped by Ctrl-C. */
import { AppError, ExitCode } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import type { InstallPlace } from "../env/mod.ts";
import type { Host } from "../os/host.ts";
import { sleep } from "../os/process.ts";
import { StopSignals } from "../os/signals.ts";
import type { SourceEvent } from "../sources/mod.ts";
import { Progress } from "./progress.ts";

/** Most that a signal to us is seen later than the end of a program by the same one. */
const SIGNAL_MS = 200;

/** For {@link InstallPlace}. What is stopped throws `INTERRUPTED`, exit code 130, when everything of it has been cleared away. */
export function onlineFor(host: Host, command: string): InstallPlace["online"] {
  const reason = () =>
    new AppError(
      "INTERRUPTED",
      `Cannot finish ${quote(`aenv ${command}`)}: it was interrupted`,
      { hint: "Nothing was changed", exitCode: ExitCode.interrupted },
    );
  return async (work) => {
    using stop = new StopSignals(reason);
    using progress = new Progress(host);
    const use = {
      signal: stop.signal,
      progress: (event: SourceEvent) => progress.show(event),
    };
    try {
      const result = await work(use);
      stop.signal.throwIfAborted();
      return result;
    } catch (error) {
      // A terminal's Ctrl-C also goes to git, whose failure may be seen before the signal is.
      const mayBeFirst = error instanceof AppError &&
        error.code.startsWith("SOURCE_");
      if (mayBeFirst) await sleep(SIGNAL_MS, stop.signal);
      throw stop.signal.aborted ? stop.signal.reason : error;
    }
  };
}
