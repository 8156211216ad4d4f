/** The little world of one case: a home with somebody's own agent configuration, a working directory, a PATH. */

import { aenvBinary } from "../support/aenv.ts";
import { snapshot } from "../support/snapshot.ts";
import { TempDir } from "../support/temp.ts";
import type { Setup, Spec, Text } from "./spec.ts";
import { fillIn, type Places } from "./text.ts";

/** Uid and gid of `nobody`. */
export const NOBODY = 65534;

/** What somebody's own configuration may look like; no case may change a byte of it. */
const OWN_FILES: Readonly<Record<string, string>> = {
  ".claude.json": '{"numStartups": 7, "projects": {}}\n',
  ".claude/settings.json": '{"model": "opus"}\n',
  ".claude/CLAUDE.md": "Speak like a pirate.\n",
  ".claude/.credentials.json": '{"claudeAiOauth": {"accessToken": "x"}}\n',
  ".claude/projects/-home-me/one.jsonl": '{"type": "user"}\n',
  ".claude/skills/own/SKILL.md": "---\nname: own\n---\n",
};

/** One case's directories; vanishes with the case. Use with `using`. */
export class World implements Disposable {
  readonly #temp = new TempDir("aenv-spec-");
  readonly places: Places;
  readonly env: Readonly<Record<string, string>>;
  readonly #own: string;
  readonly #directory: string;

  constructor(spec: Spec, options: { directory: string; version: string }) {
    this.#directory = options.directory;
    const temp = this.#temp.path;
    const home = `${temp}/home`;
    const fixed = {
      "[TEMP]": temp,
      "[HOME]": home,
      "[CWD]": `${home}/work`,
      "[SHIMS]": `${temp}/shims`,
      "[AGENTS]": `${temp}/agents`,
      "[MARK]": `${temp}/started`,
      "[BIN]": Deno.realPathSync(aenvBinary()),
      "[VERSION]": options.version,
    };
    const env = mergeEnv(
      {
        HOME: home,
        PATH: `${temp}/shims:${temp}/agents:/usr/bin:/bin`,
        LANG: "C.UTF-8",
      },
      spec.env ?? {},
      fixed,
    );
    this.env = env;
    this.places = { ...fixed, "[AENV_HOME]": aenvHome(env, home) };
    for (const dir of ["[CWD]", "[SHIMS]", "[AGENTS]"]) this.#makeDir(dir);
    this.#makePrograms(spec.agent !== "none");
    this.#makeOwnFiles();
    this.prepare(spec.setup ?? {});
    if (spec.unprivileged && Deno.uid() === 0) this.#giveTo(NOBODY);
    this.#own = this.#ownState();
  }

  [Symbol.dispose](): void {
    // A case may have made its home read-only.
    Deno.chmodSync(this.places["[HOME]"]!, 0o700);
    this.#temp[Symbol.dispose]();
  }

  /** `path` of a spec as an absolute one. */
  path(path: string): string {
    const full = fillIn(path, this.places);
    return full.startsWith("/") ? full : `${this.places["[CWD]"]}/${full}`;
  }

  /** A text of a spec, placeholders left as they are. */
  text(text: Text): string {
    if (typeof text !== "string") return text.join("\n") + "\n";
    if (!/^[\w.-]+\.out$/.test(text)) return text;
    const file = `${this.#directory}/${text}`;
    // One that `UPDATE=1` has yet to write is empty.
    return exists(file) ? Deno.readTextFileSync(file) : "";
  }

  /** Makes what `setup` says; new directories are 0700 and files 0600. */
  prepare(setup: Setup): void {
    for (const path of setup.remove ?? []) {
      Deno.removeSync(this.path(path), { recursive: true });
    }
    for (const path of setup.dirs ?? []) this.#makeDir(path);
    for (const [path, text] of Object.entries(setup.files ?? {})) {
      this.#makeFile(path, fillIn(this.text(text), this.places));
    }
    for (const [path, target] of Object.entries(setup.symlinks ?? {})) {
      this.#makeParent(path);
      Deno.symlinkSync(fillIn(target, this.places), this.path(path));
    }
    for (const [path, from] of Object.entries(setup.copies ?? {})) {
      this.#makeParent(path);
      Deno.copyFileSync(this.path(from), this.path(path));
    }
    for (const [path, from] of Object.entries(setup.hardlinks ?? {})) {
      Deno.linkSync(this.path(from), this.path(path));
    }
    for (const [path, mode] of Object.entries(setup.modes ?? {})) {
      Deno.chmodSync(this.path(path), parseInt(mode, 8));
    }
  }

  /** Whether the agent was started since this was last asked. */
  takeMark(): boolean {
    const mark = this.places["[MARK]"]!;
    if (!exists(mark)) return false;
    Deno.removeSync(mark);
    return true;
  }

  /** What is wrong with the files after a case, whatever the case was about. */
  problems(): string[] {
    const found: string[] = [];
    if (this.#ownState() !== this.#own) {
      found.push("~/.claude or ~/.claude.json was changed");
    }
    collectStrays(this.#temp.path, found);
    collectModes(this.places["[AENV_HOME]"]!, found);
    return found;
  }

  #ownState(): string {
    const home = this.places["[HOME]"]!;
    const state = [".claude", ".claude.json"].map((name) =>
      exists(`${home}/${name}`)
        ? Object.entries(snapshot(`${home}/${name}`)).sort()
        : "nothing"
    );
    return JSON.stringify(state);
  }

  #makeOwnFiles(): void {
    for (const [path, text] of Object.entries(OWN_FILES)) {
      this.#makeFile(`[HOME]/${path}`, text);
    }
    Deno.chmodSync(this.path("[HOME]/.claude"), 0o755);
    Deno.chmodSync(this.path("[HOME]/.claude/CLAUDE.md"), 0o644);
  }

  /** `claude` and `aenv` lead to the binary under test; the agent behind them only says that it was started. */
  #makePrograms(withAgent: boolean): void {
    const { "[BIN]": binary, "[SHIMS]": shims } = this.places;
    for (const name of ["claude", "aenv"]) {
      Deno.symlinkSync(binary!, `${shims}/${name}`);
    }
    if (!withAgent) return;
    this.#makeFile(
      "[AGENTS]/claude",
      `#!/bin/sh
if [ "$*" = --version ]; then echo "2.1.300 (Claude Code)"; exit; fi
for word; do printf '%s\\n' "$word"; done >'${this.places["[MARK]"]}'
echo "agent started in \${AENV_ACTIVE-no env}"
exit "\${AGENT_EXIT-0}"
`,
    );
    Deno.chmodSync(this.path("[AGENTS]/claude"), 0o755);
  }

  #makeFile(path: string, text: string): void {
    this.#makeParent(path);
    Deno.writeTextFileSync(this.path(path), text);
    Deno.chmodSync(this.path(path), 0o600);
  }

  #makeParent(path: string): void {
    this.#makeDir(this.path(path).replace(/\/[^/]*$/, ""));
  }

  #makeDir(path: string): void {
    Deno.mkdirSync(this.path(path), { recursive: true, mode: 0o700 });
  }

  #giveTo(uid: number): void {
    const args = ["-hR", `${uid}:${uid}`, this.#temp.path];
    const { success } = new Deno.Command("chown", { args }).outputSync();
    if (!success) throw new Error(`chown to ${uid} failed`);
  }
}

/** `base` with `changes`; placeholders in the values are filled in. */
export function mergeEnv(
  base: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>>,
  places: Places,
): Record<string, string> {
  const out = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete out[name];
    else out[name] = fillIn(value, places);
  }
  return out;
}

function aenvHome(env: Readonly<Record<string, string>>, home: string): string {
  const { AENV_HOME: own, XDG_DATA_HOME: data } = env;
  return own || (data ? `${data}/aenv` : `${home}/.aenv`);
}

function collectStrays(dir: string, found: string[]): void {
  for (const { name, isDirectory } of Deno.readDirSync(dir)) {
    const path = `${dir}/${name}`;
    if (name.startsWith(".tmp-")) found.push(`${path} was left behind`);
    if (isDirectory) collectStrays(path, found);
  }
}

/** Whether anything is there, a dangling link too. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isMissing) return false;
    throw error;
  }
}

function collectModes(path: string, found: string[]): void {
  if (!exists(path)) return;
  const info = Deno.lstatSync(path);
  if (info.isSymlink) return;
  const mode = (info.mode ?? 0) & 0o7777;
  // What is kept by its hash can be read only.
  const isKept =
    /\/(store\/(objects|quarantine)|installed|state\/[^/]+\/\d+\.tree)\//.test(
      path,
    ) &&
    (mode === 0o500 || (info.isFile && mode === 0o400));
  const isRight = isKept || mode === 0o700 || (info.isFile && mode === 0o600);
  if (!isRight) found.push(`${path} has mode ${mode.toString(8)}`);
  if (!info.isDirectory) return;
  for (const { name } of Deno.readDirSync(path)) {
    collectModes(`${path}/${name}`, found);
  }
}
