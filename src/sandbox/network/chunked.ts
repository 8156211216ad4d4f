/** Follows a chunked body (RFC 9112, 7.1) to its end, without changing it. What is not exactly of that form is refused. */
import { HeadError } from "./http_head.ts";

const CR = 13;
const LF = 10;
/** Bytes of a chunk's first line, and of all trailers. */
const MAX_LINE = 1024;
const MAX_TRAILERS = 16 * 1024;

/** Where in the body the next byte stands. */
type State =
  | "size"
  | "extension"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer-start"
  | "trailer"
  | "trailer-lf"
  | "end-lf"
  | "done";

/** One body. */
export class ChunkedScanner {
  #state: State = "size";
  #left = 0;
  #digits = 0;
  #count = 0;

  /** Whether the body has ended. */
  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Goes over bytes and returns how many of them belong to the body. Throws {@link HeadError}. */
  feed(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#state !== "done") {
      if (this.#state === "data") {
        const step = Math.min(this.#left, bytes.length - at);
        at += step;
        this.#left -= step;
        if (this.#left === 0) this.#state = "data-cr";
      } else {
        this.#step(bytes[at]!);
        at++;
      }
    }
    return at;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case "size":
        return this.#inSize(byte);
      case "extension":
        if (byte === CR) this.#state = "size-lf";
        else this.#text(byte, MAX_LINE);
        return;
      case "size-lf":
        this.#expect(byte, LF);
        this.#count = 0;
        this.#state = this.#left === 0 ? "trailer-start" : "data";
        return;
      case "data-cr":
        this.#expect(byte, CR);
        this.#state = "data-lf";
        return;
      case "data-lf":
        this.#expect(byte, LF);
        this.#digits = 0;
        this.#state = "size";
        return;
      case "trailer-start":
        if (byte === CR) this.#state = "end-lf";
        else {
          this.#text(byte, MAX_TRAILERS);
          this.#state = "trailer";
        }
        return;
      case "trailer":
        if (byte === CR) this.#state = "trailer-lf";
        else this.#text(byte, MAX_TRAILERS);
        return;
      case "trailer-lf":
        this.#expect(byte, LF);
        this.#state = "trailer-start";
        return;
      case "end-lf":
        this.#expect(byte, LF);
        this.#state = "done";
    }
  }

  #inSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit !== undefined) {
      // Twelve digits are more than anybody sends, and exact as a number.
      if (++this.#digits > 12) throw malformed();
      this.#left = this.#left * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw malformed();
    if (byte === CR) this.#state = "size-lf";
    else if (byte === 0x3b) this.#state = "extension";
    else throw malformed();
  }

  #expect(byte: number, wanted: number): void {
    if (byte !== wanted) throw malformed();
  }

  /** A byte of an extension or a trailer: no control character but the tab. */
  #text(byte: number, max: number): void {
    const isText = byte === 9 || byte >= 0x20 && byte !== 0x7f;
    if (!isText || ++this.#count > max) throw malformed();
  }
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}

function malformed(): HeadError {
  return new HeadError("its chunked body is malformed");
}
