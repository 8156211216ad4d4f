/** The trial before a launch: done once for a kernel, a shape of policy and a build of ours. */
import { BUILD_INFO } from "../base/build_info.ts";
import type { Dirs } from "../base/dirs.ts";
import { join } from "../base/paths.ts";
import { ensureDir, lstat, writeAtomic } from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import {
  checkProbed,
  type Enforcement,
  type KernelFacts,
  probe,
  probeKey,
} from "../sandbox/mod.ts";

/** Throws `SANDBOX_UNENFORCED` (exit 3) when something succeeds in a trial that must fail. */
export async function checkEnforced(
  enforcement: Enforcement,
  kernel: KernelFacts,
  dirs: Dirs,
): Promise<void> {
  const key = probeKey(kernel, enforcement);
  const { version, commit } = BUILD_INFO;
  const hash = sha256Hex([version, commit, key].join("\n"));
  const done = join(dirs.probes, hash);
  if (lstat(done) !== undefined) return;
  ensureDir(dirs.probes);
  checkProbed(await probe(enforcement, dirs.probes));
  writeAtomic(done, "");
}
