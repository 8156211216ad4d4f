/** Words of the commands that make an env about its sandbox. */
import { claude } from "../agents/mod.ts";
import { join } from "../base/paths.ts";
import { homeOrNone, hostDirs } from "../env/mod.ts";
import { lstat } from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import { noSandbox } from "../sandbox/mod.ts";

/** Lines that say whether the agent of a new env is confined; `option` names the env, and is empty where it is the active one. */
export function confinedLines(
  confined: boolean,
  { option, host }: { readonly option: string; readonly host: Host },
): string[] {
  if (!confined) return ["Its agent is not confined"];
  const why = noSandbox(host.os);
  if (why === undefined) {
    return [
      `Its agent is confined to the project it works in: aenv sandbox explain${option}`,
      ...(isLoginShut(host)
        ? [
          "It can use your login, and renew it once that is moved: aenv migrate-auth",
        ]
        : []),
    ];
  }
  return [
    `Its agent is to be confined, and will not start here: ${why}`,
    "  To do without, write enabled = false under [sandbox] in its aenv.toml",
  ];
}

/** Whether there is a login where nothing confined may write. */
function isLoginShut(host: Host): boolean {
  const home = homeOrNone(host);
  if (home === undefined) return false;
  const { root } = hostDirs(host);
  const { dir, loginDir } = claude.userConfig(host.env, home, root);
  return loginDir === dir &&
    lstat(join(loginDir, claude.CREDENTIALS_FILE)) !== undefined;
}
