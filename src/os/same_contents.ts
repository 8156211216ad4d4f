/** Comparing two files. */
import { ifExists } from "./io_error.ts";

/** Whether two files hold the same bytes; false when one is missing. Reads in blocks and stops at the first difference. */
export function sameContents(a: string, b: string): boolean {
  return ifExists("compare", a, () => {
    using left = Deno.openSync(a);
    using right = Deno.openSync(b);
    const blocks = [new Uint8Array(1 << 20), new Uint8Array(1 << 20)] as const;
    while (true) {
      const counts = [
        readBlock(left, blocks[0]),
        readBlock(right, blocks[1]),
      ] as const;
      if (counts[0] !== counts[1]) return false;
      if (counts[0] === 0) return true;
      const equal = blocks[0].every((byte, i) =>
        i >= counts[0] || byte === blocks[1][i]
      );
      if (!equal) return false;
    }
  }) ?? false;
}

/** Fills `block` as far as the file reaches and returns the number of bytes. */
function readBlock(file: Deno.FsFile, block: Uint8Array): number {
  let done = 0;
  while (done < block.length) {
    const count = file.readSync(block.subarray(done));
    if (count === null) break;
    done += count;
  }
  return done;
}
