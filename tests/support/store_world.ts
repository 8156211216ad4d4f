/** Trees on the disk and a store to put them into, for tests. */
import { type AbsPath, join } from "../../src/base/paths.ts";
import { insertTree, openStore, type Store } from "../../src/store/mod.ts";
import type { TreeHash } from "../../src/store/mod.ts";
import { TempDir } from "./temp.ts";

/** A tree by path: text of a file, or something else. */
export type TreeSpec = Readonly<
  Record<
    string,
    | string
    | Uint8Array
    | { readonly link: string }
    | { readonly program: string }
    | { readonly directory: true }
  >
>;

/** A tree with a bit of everything. */
export const SAMPLE: TreeSpec = {
  ".claude-plugin/plugin.json": '{"name":"sample"}',
  "SKILL.md": "Be brief.\n",
  "bin/tool": { program: "#!/bin/sh\necho hi\n" },
  "docs/deep/er/note.md": "note",
  "docs/link.md": { link: "../SKILL.md" },
  "docs/한국어.md": "안녕",
  "empty": { directory: true },
  "nothing": "",
};

/** Writes a tree; parents are made. */
export function writeTree(root: string, spec: TreeSpec): AbsPath {
  Deno.mkdirSync(root, { recursive: true });
  for (const [path, what] of Object.entries(spec)) {
    const full = `${root}/${path}`;
    Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    if (typeof what === "string") Deno.writeTextFileSync(full, what);
    else if (what instanceof Uint8Array) Deno.writeFileSync(full, what);
    else if ("link" in what) Deno.symlinkSync(what.link, full);
    else if ("directory" in what) Deno.mkdirSync(full, { recursive: true });
    else {
      Deno.writeTextFileSync(full, what.program);
      Deno.chmodSync(full, 0o755);
    }
  }
  return root as AbsPath;
}

/** Everything below `root`, one line each: kind, permission bits, path, contents or target. */
export function describeTree(root: string): string[] {
  const lines: string[] = [];
  const walk = (path: string) => {
    const full = path === "" ? root : `${root}/${path}`;
    const info = Deno.lstatSync(full);
    const mode = ((info.mode ?? 0) & 0o7777).toString(8);
    if (info.isSymlink) lines.push(`l ${path} → ${Deno.readLinkSync(full)}`);
    else if (info.isFile) {
      lines.push(`f ${mode} ${path}: ${Deno.readTextFileSync(full)}`);
    } else {
      lines.push(`d ${mode} ${path}`);
      const names = [...Deno.readDirSync(full)].map((e) => e.name).sort();
      for (const name of names) walk(path === "" ? name : `${path}/${name}`);
    }
  };
  walk("");
  return lines;
}

/** A store in a directory of its own. */
export class StoreWorld implements Disposable {
  readonly dir: AbsPath;
  readonly store: Store;
  readonly #temp = new TempDir("aenv-store-");

  constructor() {
    this.dir = this.#temp.path as AbsPath;
    this.store = openStore(join(this.dir, "store"));
  }

  /** A path in the world. */
  path(...parts: string[]): AbsPath {
    return join(this.dir, ...parts);
  }

  /** Inserts a tree. */
  async insert(spec: TreeSpec = SAMPLE): Promise<TreeHash> {
    const source = this.path(`source-${crypto.randomUUID()}`);
    const { hash } = await insertTree(this.store, writeTree(source, spec));
    Deno.removeSync(source, { recursive: true });
    return hash;
  }

  /** A file of an object. */
  objectPath(hash: TreeHash, ...parts: string[]): AbsPath {
    return join(this.store.objectDir(hash), ...parts);
  }

  /** Names in the store's directory for what is being made, by process. */
  leftOvers(): string[] {
    const tmp = this.path("store", "tmp");
    try {
      return [...Deno.readDirSync(tmp)].flatMap(({ name }) =>
        [...Deno.readDirSync(`${tmp}/${name}`)].map((e) => e.name)
          .filter((own) => own !== "clock")
      );
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return [];
    }
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]();
    this.#temp[Symbol.dispose]();
  }
}

/** Changes a file in place, as a careless program may, and restores its time and bits. */
export function overwrite(path: string, text: string): void {
  const info = Deno.statSync(path);
  Deno.chmodSync(path, 0o600);
  const file = Deno.openSync(path, { write: true, truncate: true });
  file.writeSync(new TextEncoder().encode(text));
  file.close();
  Deno.utimeSync(path, info.atime!, info.mtime!);
  Deno.chmodSync(path, (info.mode ?? 0) & 0o7777);
}
