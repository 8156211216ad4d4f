/** Finds where an ELF image ends inside a longer file. */

import { ScriptError } from "../support/script.ts";

const ELF_MAGIC = 0x7f454c46;
const HEADER_BYTES = 64;

/**
 * Length in bytes of the 64-bit little-endian ELF image that `bytes` begins with: its section header table is last.
 * Throws `ScriptError` when there is no such image or when it is cut off.
 */
export function elfLength(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint32(0) !== ELF_MAGIC) {
    throw new ScriptError("Cannot cut the program: it is not an ELF file");
  }
  const is64BitLittleEndian = view.getUint8(4) === 2 && view.getUint8(5) === 1;
  if (!is64BitLittleEndian) {
    throw new ScriptError(
      "Cannot cut the program: it is not a 64-bit little-endian ELF file",
    );
  }
  const sectionTable = Number(view.getBigUint64(0x28, true));
  const entrySize = view.getUint16(0x3a, true);
  const entries = view.getUint16(0x3c, true);
  const end = sectionTable + entrySize * entries;
  if (sectionTable < HEADER_BYTES || entries === 0 || end > bytes.length) {
    throw new ScriptError(
      "Cannot cut the program: its ELF section table is outside the file",
    );
  }
  return end;
}
