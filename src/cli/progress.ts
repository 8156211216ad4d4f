/** What takes its time, on one line of a terminal. */
import { redact } from "../base/redact.ts";
import { escapeControl } from "../base/text.ts";
import { monotonicMs } from "../os/clock.ts";
import type { Host } from "../os/host.ts";
import { terminalColumns, writeError } from "../os/terminal.ts";
import type { SourceEvent } from "../sources/mod.ts";
import { showBytes } from "./numbers.ts";

/** Between two looks at how many bytes have come. */
const BYTES_EVERY_MS = 100;
const CLEAR = "\r\x1b[K";

/**
 * Shows what happens as a line on standard error that is gone at the end. Where that is no terminal only warnings are
 * written. It has no colours.
 */
export class Progress implements Disposable {
  readonly #host: Host;
  readonly #isShown: boolean;
  #step = "";
  #isDirty = false;
  #lastBytes = -Infinity;

  constructor(host: Host) {
    this.#host = host;
    this.#isShown = host.isTerminal("stderr") && host.env["TERM"] !== "dumb";
  }

  /** Shows one event. */
  show(event: SourceEvent): void {
    switch (event.type) {
      case "step":
        this.#step = clean(event.text);
        return this.#draw(this.#step);
      case "warning":
        this.#clear();
        return this.#host.notice(`aenv: warning: ${clean(event.text)}`);
      case "bytes": {
        const now = monotonicMs();
        if (now - this.#lastBytes < BYTES_EVERY_MS) return;
        this.#lastBytes = now;
        const step = event.step === undefined ? this.#step : clean(event.step);
        const total = event.total === undefined
          ? ""
          : ` of ${showBytes(event.total)}`;
        this.#draw(`${step}  ${showBytes(event.done)}${total}`);
      }
    }
  }

  /** Takes the line away. */
  [Symbol.dispose](): void {
    this.#clear();
  }

  #draw(text: string): void {
    if (!this.#isShown) return;
    const columns = terminalColumns() ?? 80;
    const line = [...text].slice(0, columns - 1).join("");
    writeError(CLEAR + line);
    this.#isDirty = true;
  }

  #clear(): void {
    if (this.#isDirty) writeError(CLEAR);
    this.#isDirty = false;
  }
}

function clean(text: string): string {
  return escapeControl(redact(text));
}
