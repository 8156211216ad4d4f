/** A home, a home of aenv and a project on disk, and the policy that a launch there would get. */
import type { AbsPath } from "../../src/base/paths.ts";
import { decidePath } from "../../src/sandbox/explain.ts";
import { readHostFacts } from "../../src/sandbox/host_facts.ts";
import { buildPolicy } from "../../src/sandbox/policy.ts";
import type { PolicyInput } from "../../src/sandbox/policy_input.ts";
import type { Operation, SandboxPolicy } from "../../src/sandbox/types.ts";
import "./open_libc.ts";
import { TempDir } from "./temp.ts";

/** What a test may change of a launch. */
export interface WorldOptions {
  readonly wishes?: Partial<PolicyInput["wishes"]>;
  readonly input?: Partial<PolicyInput>;
  /** Below the world; `project` unless given. */
  readonly cwd?: string;
  /** Root of the project; the cwd unless given. */
  readonly root?: string;
}

/** A world. Use with `using`. */
export class SandboxWorld implements Disposable {
  readonly #temp = new TempDir("aenv-policy-");
  readonly root = this.#temp.path as AbsPath;
  readonly home = this.at("home");
  readonly aenvHome = this.at("home/.aenv");

  constructor() {
    for (const dir of ["home/.aenv/envs/e", "project"]) this.dir(dir);
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }

  at(name: string): AbsPath {
    return `${this.root}/${name}` as AbsPath;
  }

  dir(name: string): AbsPath {
    Deno.mkdirSync(this.at(name), { recursive: true });
    return this.at(name);
  }

  file(name: string, text = ""): AbsPath {
    this.dir(name.slice(0, Math.max(name.lastIndexOf("/"), 0)));
    Deno.writeTextFileSync(this.at(name), text);
    return this.at(name);
  }

  link(name: string, target: string): AbsPath {
    this.dir(name.slice(0, Math.max(name.lastIndexOf("/"), 0)));
    Deno.symlinkSync(target, this.at(name));
    return this.at(name);
  }

  git(dir: string, ...args: string[]): void {
    const { code, stderr } = new Deno.Command("git", {
      args: ["-C", this.at(dir), ...args],
      clearEnv: true,
      env: {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        HOME: this.home,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_AUTHOR_NAME: "a",
        GIT_AUTHOR_EMAIL: "a@b",
        GIT_COMMITTER_NAME: "a",
        GIT_COMMITTER_EMAIL: "a@b",
      },
    }).outputSync();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  }

  /** The policy of a launch here. */
  policy(options: WorldOptions = {}): SandboxPolicy {
    const input = this.input(options);
    return buildPolicy(input, readHostFacts(input));
  }

  input({ wishes = {}, input = {}, cwd = "project", root }: WorldOptions = {}) {
    const slot = "home/.aenv/envs/e";
    return {
      domain: "agent",
      os: "linux",
      uid: 1000,
      home: this.home,
      aenvHome: this.aenvHome,
      cwd: this.at(cwd),
      projectRoot: this.at(root ?? cwd),
      baseDir: this.at(root ?? cwd),
      manifests: [this.at(`${slot}/aenv.toml`)],
      wishes: {
        paths: [],
        network: { mode: "open" },
        envHost: [],
        pathDirs: [],
        cacheDirs: [],
        unixSockets: [],
        protect: [],
        ...wishes,
      },
      agent: {
        name: "claude",
        program: "/bin/sh" as AbsPath,
        keychain: false,
      },
      programs: [],
      places: [{
        path: this.at(`${slot}/claude`),
        access: "write",
        why: { source: "agent", text: "state" },
        make: true,
      }],
      guarded: [],
      cacheDir: this.at(`${slot}/cache`),
      tmpDir: this.at(`${slot}/tmp`),
      variables: { PATH: "/usr/bin:/bin" },
      environment: [],
      ...input,
    } satisfies PolicyInput as PolicyInput;
  }

  /** Whether a policy allows an operation on a real path, where protected paths are held by the system. */
  allows(policy: SandboxPolicy, operation: Operation, path: string): boolean {
    const options = { operation, isHeld: () => true };
    return decidePath(policy, path as AbsPath, options).allowed;
  }
}
