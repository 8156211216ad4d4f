/** Messages of D-Bus. */
import {
  type Value,
  type Variant,
  WireError,
  WireReader,
  WireWriter,
} from "./wire.ts";

/** A call of a method, all of it. */
export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Signature and values of the arguments. */
  readonly signature?: string;
  readonly values?: readonly Value[];
}

/** What comes back. */
export interface Message {
  readonly kind: "reply" | "error" | "signal" | "other";
  readonly replyTo: number | undefined;
  readonly errorName: string | undefined;
  readonly sender: string | undefined;
  readonly path: string | undefined;
  readonly member: string | undefined;
  /** Read when it is asked for. Throws `WireError`. */
  values(): Value[];
}

const LITTLE_ENDIAN = "l".charCodeAt(0);
const VERSION = 1;
const METHOD_CALL = 1;
const MAX_HEADERS = 64;
const KINDS = ["other", "other", "reply", "error", "signal"] as const;
const FIXED_BYTES = 16;
/** Most bytes of a message that are accepted. The protocol allows 128 MiB. */
const MAX_MESSAGE = 16 * 1024 * 1024;

/** Headers by what they say: the many calls of a conversation are of few kinds. */
const headers = new Map<string, Uint8Array>();

/** The bytes of a call. `serial` must not be 0. */
export function encodeCall(call: MethodCall, serial: number): Uint8Array {
  const signature = call.signature ?? "";
  const body = new WireWriter().add(signature, call.values ?? []).bytes();
  const header = headerOf(call, signature);
  const bytes = new Uint8Array(header.length + body.length);
  bytes.set(header);
  bytes.set(body, header.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, body.length, true);
  view.setUint32(8, serial, true);
  return bytes;
}

/** The header with its padding; length of the body and serial are to be put in. */
function headerOf(call: MethodCall, signature: string): Uint8Array {
  const { destination, path, interface: of, member } = call;
  const name = [destination, path, of, member, signature].join(" ");
  const found = headers.get(name);
  if (found !== undefined) return found;
  const fields: [number, Variant][] = [
    [1, { signature: "o", value: path }],
    [2, { signature: "s", value: of }],
    [3, { signature: "s", value: member }],
    [6, { signature: "s", value: destination }],
  ];
  if (signature !== "") {
    fields.push([8, { signature: "g", value: signature }]);
  }
  const start = [LITTLE_ENDIAN, METHOD_CALL, 0, VERSION, 0, 0];
  const header = new WireWriter().add("yyyyuua(yv)", [...start, fields])
    .align(8).bytes();
  if (headers.size < MAX_HEADERS) headers.set(name, header);
  return header;
}

/** Length of the message that starts with these bytes; undefined when they are too few to tell. Throws `WireError`. */
export function messageLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < FIXED_BYTES) return undefined;
  if (bytes[0] !== LITTLE_ENDIAN || bytes[3] !== VERSION) {
    throw new WireError("it is no message of D-Bus");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, FIXED_BYTES);
  const fields = view.getUint32(12, true);
  const total = Math.ceil((FIXED_BYTES + fields) / 8) * 8 +
    view.getUint32(4, true);
  if (total > MAX_MESSAGE) throw new WireError("it is too long");
  return total;
}

/** Reads one whole message. Throws `WireError`. */
export function decodeMessage(bytes: Uint8Array): Message {
  const header = new WireReader(bytes).read("yyyyuua(yv)");
  const bodyLength = header[4] as number;
  const fields = new Map(
    (header[6] as readonly (readonly [number, Variant])[])
      .map(([code, { value }]) => [code, value]),
  );
  const text = (code: number) => {
    const value = fields.get(code);
    return typeof value === "string" ? value : undefined;
  };
  const replyTo = fields.get(5);
  return {
    kind: KINDS[header[1] as number] ?? "other",
    replyTo: typeof replyTo === "number" ? replyTo : undefined,
    errorName: text(4),
    sender: text(7),
    path: text(1),
    member: text(3),
    values: () =>
      new WireReader(bytes.subarray(bytes.length - bodyLength))
        .read(text(8) ?? ""),
  };
}
