/** Typing that does not show on the terminal. */
import { writeError } from "./terminal.ts";

/** What has been typed, and whether that is all. Pure: it is fed with what a terminal in raw mode sends. */
export class HiddenTyping {
  readonly #multiline: boolean;
  #bytes: number[] = [];
  /** Bytes that may begin a mark of pasted text. */
  #held: number[] = [];
  #isPasting = false;
  state: "typing" | "done" | "cancelled" = "typing";

  /** With `multiline` Enter adds a line, and Ctrl-D ends the input. */
  constructor(options: { readonly multiline: boolean }) {
    this.#multiline = options.multiline;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }

  /** Takes what one read gave. */
  feed(block: Uint8Array): void {
    block.forEach((byte, i) => {
      if (this.state !== "typing") return;
      const hasMore = i + 1 < block.length;
      this.#take(byte, hasMore);
    });
  }

  #take(byte: number, hasMore: boolean): void {
    if (this.#held.length > 0 || byte === KEY.escape) {
      this.#held.push(byte);
      this.#readMark();
      return;
    }
    if (this.#isPasting) this.#add(byte);
    else this.#press(byte, hasMore);
  }

  /** Terminals put pasted text between two marks. Other sequences, such as arrow keys, mean nothing here. */
  #readMark(): void {
    const text = String.fromCharCode(...this.#held);
    if (text === PASTE.start || text === PASTE.end) {
      this.#isPasting = text === PASTE.start;
      this.#held = [];
    } else if (this.#isPasting) {
      if (PASTE.end.startsWith(text)) return;
      for (const byte of this.#held) this.#add(byte);
      this.#held = [];
    } else if (SEQUENCE.test(text)) this.#held = [];
  }

  #press(byte: number, hasMore: boolean): void {
    switch (byte) {
      case KEY.interrupt:
        this.state = "cancelled";
        return;
      case KEY.endOfInput:
        if (this.#multiline) this.state = "done";
        else if (this.#bytes.length === 0) this.state = "cancelled";
        return;
      case KEY.enter:
      case KEY.newline:
        // A terminal without those marks sends pasted lines at once: they must not go on to the shell.
        if (this.#multiline || hasMore) this.#add(byte);
        else this.state = "done";
        return;
      case KEY.backspace:
      case KEY.delete:
        this.#removeLast();
        return;
      case KEY.killLine:
        this.#bytes = [];
        return;
    }
    if (byte >= 0x20 || byte === KEY.tab) this.#add(byte);
  }

  #add(byte: number): void {
    // Terminals send Enter for the line ends of pasted text.
    this.#bytes.push(byte === KEY.enter ? KEY.newline : byte);
  }

  #removeLast(): void {
    let byte = this.#bytes.pop();
    // All of a character that takes several bytes.
    while (byte !== undefined && (byte & 0xc0) === 0x80) {
      byte = this.#bytes.pop();
    }
  }
}

const KEY = {
  interrupt: 0x03,
  endOfInput: 0x04,
  backspace: 0x08,
  tab: 0x09,
  newline: 0x0a,
  enter: 0x0d,
  killLine: 0x15,
  escape: 0x1b,
  delete: 0x7f,
} as const;

const PASTE = { start: "\x1b[200~", end: "\x1b[201~" } as const;
/** A whole sequence of a function key, or Escape with another key. */
const SEQUENCE =
  // deno-lint-ignore no-control-regex
  /^\x1b(\[[0-?]*[ -/]*[@-~]|O.|[^[O])$/s;

/** Writes `question` to standard error and reads what is typed, unseen; undefined when it was cancelled. Standard input must be a terminal. */
export function readHidden(
  question: string,
  options: { readonly multiline: boolean },
): Uint8Array<ArrayBuffer> | undefined {
  const typing = new HiddenTyping(options);
  const block = new Uint8Array(64 * 1024);
  Deno.stdin.setRaw(true);
  try {
    writeError(`\x1b[?2004h${question}`);
    while (typing.state === "typing") {
      const count = Deno.stdin.readSync(block);
      if (count === null) break;
      typing.feed(block.subarray(0, count));
    }
  } finally {
    Deno.stdin.setRaw(false);
    writeError("\x1b[?2004l\r\n");
  }
  return typing.state === "cancelled" ? undefined : typing.bytes;
}

/** All of standard input, at most `maxBytes`; undefined when it has more. */
export function readInput(
  maxBytes: number,
): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(maxBytes + 1);
  let done = 0;
  while (done < bytes.length) {
    const count = Deno.stdin.readSync(bytes.subarray(done));
    if (count === null) return bytes.slice(0, done);
    done += count;
  }
  return undefined;
}
