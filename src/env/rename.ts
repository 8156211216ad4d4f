/** `rename`: gives a global env another name; its own files follow. */
import { type Dirs, MANIFEST_FILE, slotAt } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type EnvName, parseEnvName } from "../base/ids.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { type Document, editManifest } from "../manifest/mod.ts";
import {
  FILE_MODE,
  isSameFile,
  lstat,
  readText,
  realPath,
  stat,
} from "../os/fs.ts";
import type { Host } from "../os/host.ts";
import type { Put } from "../tx/mod.ts";
import { hostDirs } from "./active.ts";
import { planRelocation, type Relocation, Rewriter } from "./clone/mod.ts";
import { readConfig } from "./config.ts";
import { setDefaultEnv } from "./config_edit.ts";
import { slotProject } from "./list.ts";
import { notFound, openNamed } from "./open.ts";
import { findPointers, type Pointer, requireIdle } from "./pointers.ts";
import { requireFree, transact } from "./slots.ts";
import { homeOrNone } from "./user_places.ts";

/** What was renamed. */
export interface RenameResult {
  readonly from: EnvName;
  readonly to: EnvName;
  readonly path: AbsPath;
  /** Whether `default_env` followed. */
  readonly movedDefault: boolean;
  /** What says the old name still. */
  readonly dangling: readonly Pointer[];
}

/** Renames. Throws `ENV_RESERVED`, `NAME_INVALID`, `ENV_NOT_FOUND`, `ENV_EXISTS`, `ENV_BUSY`, `NOT_SUPPORTED` for a project, `IO`. */
export async function renameEnv(
  input: { readonly from: string; readonly to: string },
  host: Host,
): Promise<RenameResult> {
  const from = parseEnvName(input.from);
  const to = parseEnvName(input.to);
  const dirs = hostDirs(host);
  check({ from, to }, dirs);
  const about = { kind: "rename", env: from, note: `to ${to}` };
  return await transact(about, { host, dirs }, (tx) => {
    check({ from, to }, dirs);
    requireIdle(from, "rename", dirs);
    const pointers = findPointers(from, host, dirs);
    const edits = planEdits({ from, to }, host, dirs);
    const movesDefault = readConfig(dirs).defaultEnv === from;
    const path = join(dirs.envs, to);
    tx.move(join(dirs.envs, from), path);
    // A launch writes its record before it looks whether the env is there: one of the two sees the other.
    requireIdle(from, "rename", dirs);
    tx.putAll(edits.map((edit) => putOf(edit, path)));
    if (movesDefault) setDefaultEnv(to, { dirs, tx });
    return {
      from,
      to,
      path,
      movedDefault: movesDefault,
      dangling: pointers.filter((pointer) => pointer.kind !== "default_env"),
    };
  });
}

interface Names {
  readonly from: EnvName;
  readonly to: EnvName;
}

function check({ from, to }: Names, dirs: Dirs): void {
  const path = join(dirs.envs, from);
  if (lstat(path) === undefined) throw notFound(from);
  const project = slotProject(path);
  if (project !== undefined) {
    throw new AppError(
      "NOT_SUPPORTED",
      `Cannot rename ${quote(from)}: it is the slot of a project`,
      { hint: `Change [env].name in ${project}` },
    );
  }
  openNamed(from, dirs);
  // Where the file system does not tell capitals from small letters, another spelling of the name is the same directory.
  if (from !== to && isSameFile(path, join(dirs.envs, to))) return;
  requireFree(to, dirs);
}

/** What has to change in the env's files; the manifest's comments stay. */
function planEdits(
  { from, to }: Names,
  host: Host,
  dirs: Dirs,
): Relocation[] {
  const root = join(dirs.envs, from);
  const rewriter = new Rewriter({
    from: [root, realPath(root) ?? root],
    to: join(dirs.envs, to),
    home: homeOrNone(host),
  });
  const file = slotAt(root).manifest;
  const before = readText(file) ?? "";
  const after = editManifest(rewriter.all(before), (document) => {
    (document["env"] as Document)["name"] = to;
  }, { file });
  const mode = stat(file)?.mode ?? FILE_MODE;
  const others = planRelocation(root, rewriter, {
    config: "claude",
    generated: ["installed", "xdg", MANIFEST_FILE],
  });
  return [
    { kind: "text", path: MANIFEST_FILE, before, after, mode },
    ...others,
  ];
}

function putOf(edit: Relocation, root: AbsPath): Put {
  const path = join(root, edit.path);
  return edit.kind === "link"
    ? { path, link: edit.after }
    : { path, data: edit.after, mode: edit.mode };
}
