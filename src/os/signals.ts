/** Signals that ask this process to stop. */

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/**
 * While it is not disposed of, Ctrl-C and SIGTERM abort {@link StopSignals.signal} instead of ending the process; the next
 * one ends it all the same, with exit code 130.
 */
export class StopSignals implements Disposable {
  readonly #controller = new AbortController();
  readonly #listener: () => void;

  /** `reason` makes the error that what is aborted ends with. */
  constructor(reason: () => Error) {
    this.#listener = () => {
      if (this.signal.aborted) Deno.exit(130);
      this.#controller.abort(reason());
    };
    for (const name of SIGNALS) Deno.addSignalListener(name, this.#listener);
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Lets signals do again what they did before. */
  [Symbol.dispose](): void {
    for (const name of SIGNALS) Deno.removeSignalListener(name, this.#listener);
  }
}
