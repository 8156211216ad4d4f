/** The value of a secret, which shows itself only when it is asked to. */
import { AppError } from "../base/errors.ts";
import { maskFromNowOn } from "../base/redact.ts";

const MASK = "[redacted]";

/** Most bytes of a value: what a variable of a program can hold, with room for its name. */
export const MAX_VALUE_BYTES = 64 * 1024;

/** Bytes of a secret. Whatever prints, logs or serialises one gets `[redacted]`; `redact()` masks its value from the moment it exists. */
export class SecretValue {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  /** Throws `SECRET_INVALID` when it is empty or longer than {@link MAX_VALUE_BYTES}. */
  constructor(value: Uint8Array | string) {
    this.#bytes = typeof value === "string"
      ? new TextEncoder().encode(value)
      : new Uint8Array(value);
    checkSize(this.#bytes.length);
    maskFromNowOn(this.#bytes);
  }

  /** The bytes; a copy. */
  reveal(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice();
  }

  /** The value as text, for a variable or a header. Undefined when it is not UTF-8 or holds a NUL. */
  text(): string | undefined {
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        .decode(this.#bytes);
      return text.includes("\0") ? undefined : text;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return undefined;
    }
  }

  /** Whether both hold the same bytes. */
  equals(other: SecretValue): boolean {
    return this.#bytes.length === other.#bytes.length &&
      this.#bytes.every((byte, i) => byte === other.#bytes[i]);
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return MASK;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return MASK;
  }
}

function checkSize(length: number): void {
  const state = length === 0
    ? "it is empty"
    : length > MAX_VALUE_BYTES
    ? `it has ${length} bytes, at most ${MAX_VALUE_BYTES} are kept`
    : undefined;
  if (state === undefined) return;
  throw new AppError(
    "SECRET_INVALID",
    `Cannot use the value of a secret: ${state}`,
    { hint: "Give it another one" },
  );
}
