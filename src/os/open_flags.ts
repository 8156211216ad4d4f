/** Flags of open(2) on Linux. Some differ between the architectures. */
export const OPEN = {
  ...(Deno.build.arch === "aarch64"
    ? { directory: 0x4000, noFollow: 0x8000 }
    : { directory: 0x10000, noFollow: 0x20000 }),
  closeOnExec: 0x80000,
  writeNew: 0x1 | 0x40 | 0x80,
} as const;
