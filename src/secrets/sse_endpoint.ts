/** The old kind of streaming server says in its first event where it wants to be spoken to. */

/** Most bytes until that event: it is the first one. */
const MAX_HEAD = 64 * 1024;

/**
 * Passes a stream on, the address in its `endpoint` event replaced by what `place` gives for it. The stream breaks off when
 * `place` gives nothing, or when the event does not come.
 */
export function replaceEndpoint(
  place: (address: string) => string | undefined,
): TransformStream<Uint8Array, Uint8Array> {
  let head: string | undefined = "";
  return new TransformStream({
    transform(piece, controller) {
      if (head === undefined) return controller.enqueue(piece);
      head += characters(piece);
      const found = splitEndpoint(head);
      if (found === undefined) {
        if (head.length > MAX_HEAD) controller.terminate();
        return;
      }
      const address = place(found.address);
      if (address === undefined) return controller.terminate();
      const text = `${found.before}event: endpoint\ndata: ${address}\n\n`;
      controller.enqueue(bytes(text + found.after));
      head = undefined;
    },
  });
}

/** One character a byte: a piece may end within a character. */
function characters(piece: Uint8Array): string {
  return Array.from(piece, (byte) => String.fromCharCode(byte)).join("");
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

interface FoundEndpoint {
  readonly before: string;
  readonly address: string;
  readonly after: string;
}

/** Cuts a text at its whole `endpoint` event; undefined when there is none yet. */
function splitEndpoint(text: string): FoundEndpoint | undefined {
  let start = 0;
  for (const end of text.matchAll(/\r\n\r\n|\n\n|\r\r/g)) {
    const lines = text.slice(start, end.index).split(/\r\n|\n|\r/);
    if (lines.some((line) => /^event: ?endpoint$/.test(line))) {
      const data = lines.filter((line) => line.startsWith("data:"))
        .map((line) => line.slice("data:".length).replace(/^ /, ""));
      return {
        before: text.slice(0, start),
        address: data.join("\n"),
        after: text.slice(end.index + end[0].length),
      };
    }
    start = end.index + end[0].length;
  }
  return undefined;
}
