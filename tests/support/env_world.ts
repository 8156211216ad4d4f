/** A user's home with an aenv home and a project in it, for tests of use cases. */
import { dirname } from "node:path";
import { type Dirs, dirsAt } from "../../src/base/dirs.ts";
import { type AbsPath, join } from "../../src/base/paths.ts";
import { type Host, hostWith } from "../../src/os/host.ts";
import { TempDir } from "./temp.ts";

/** Paths are relative to the user's home; the current directory is `p/sub`. */
export class EnvWorld implements Disposable {
  readonly #temp = new TempDir();
  readonly home = join(this.#temp.path as AbsPath, "user");
  readonly cwd = join(this.home, "p", "sub");
  readonly dirs: Dirs = dirsAt(join(this.home, ".aenv"));
  /** What was said on standard error. */
  readonly notices: string[] = [];

  constructor() {
    Deno.mkdirSync(this.cwd, { recursive: true });
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }

  host(env: Record<string, string> = {}, parts: Partial<Host> = {}): Host {
    return hostWith({
      env: { HOME: this.home, PATH: "/nowhere", ...env },
      cwd: () => this.cwd,
      notice: (text) => this.notices.push(text),
      ...parts,
    });
  }

  path(name: string): AbsPath {
    return join(this.home, name);
  }

  /** Writes a file and makes its directories. */
  write(name: string, text: string): AbsPath {
    const path = this.path(name);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, text);
    return path;
  }

  /** Makes a symbolic link and its directories. */
  link(name: string, target: string): void {
    Deno.mkdirSync(dirname(this.path(name)), { recursive: true });
    Deno.symlinkSync(target, this.path(name));
  }

  remove(name: string): void {
    Deno.removeSync(this.path(name), { recursive: true });
  }

  chmod(name: string, mode: number): void {
    Deno.chmodSync(this.path(name), mode);
  }

  read(name: string): string {
    return Deno.readTextFileSync(this.path(name));
  }

  exists(name: string): boolean {
    try {
      Deno.lstatSync(this.path(name));
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return false;
    }
  }

  /** Names in a directory, sorted. */
  names(name: string): string[] {
    return [...Deno.readDirSync(this.path(name))].map((e) => e.name).sort();
  }

  /** Permission bits in octal. */
  mode(name: string): string {
    return (Deno.lstatSync(this.path(name)).mode! & 0o777).toString(8);
  }

  /** A named env with this manifest beyond its name. */
  env(name: string, rest = ""): void {
    const head = `aenv_schema_version = "2"\n[env]\nname = "${name}"\n`;
    this.write(`.aenv/envs/${name}/aenv.toml`, head + rest);
  }

  /** Every path of a directory with its kind, and the text of its files. */
  tree(name: string, at = ""): Record<string, string> {
    const out: Record<string, string> = {};
    for (const entry of Deno.readDirSync(join(this.path(name), at))) {
      const path = at === "" ? entry.name : `${at}/${entry.name}`;
      const full = join(this.path(name), path);
      if (entry.isDirectory) Object.assign(out, this.tree(name, path));
      else {
        out[path] = entry.isSymlink
          ? "-> " + Deno.readLinkSync(full)
          : Deno.readTextFileSync(full);
      }
    }
    return out;
  }
}
