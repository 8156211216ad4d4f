/** Real repositories, made with git. */

import { run } from "../process.ts";
import { writeTree } from "./trees.ts";

const ENV = {
  PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.invalid",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.invalid",
  GIT_ALLOW_PROTOCOL: "file",
};

/** A bare repository with a working tree beside it. */
export class GitRepository {
  /** The bare one, to be served. */
  readonly path: string;
  readonly #work: string;

  private constructor(path: string) {
    this.path = path;
    this.#work = `${path}.work`;
  }

  /** Makes an empty one; `path` ends in `.git`. */
  static async create(path: string): Promise<GitRepository> {
    const repository = new GitRepository(path);
    Deno.mkdirSync(path, { recursive: true });
    await git(path, ["init", "-q", "--bare", "-b", "main", path]);
    // What most servers allow.
    await git(path, ["config", "uploadpack.allowFilter", "true"]);
    await git(path, ["clone", "-q", path, repository.#work]);
    return repository;
  }

  /** Adds these files in a new commit, pushes it, and returns it. */
  async commit(
    files: Readonly<Record<string, string>>,
    options: { readonly branch?: string; readonly tag?: string } = {},
  ): Promise<string> {
    writeTree(this.#work, files);
    await this.git(["add", "-A", "-f"]);
    await this.git(["commit", "-q", "-m", "change", "--allow-empty"]);
    if (options.tag !== undefined) {
      await this.git(["tag", "-a", "-m", "tag", options.tag]);
    }
    const branch = options.branch ?? "main";
    await this.git(["push", "-q", "--tags", "origin", `HEAD:${branch}`]);
    return (await this.git(["rev-parse", "HEAD"])).trim();
  }

  /** Runs git in the working tree. */
  async git(args: readonly string[]): Promise<string> {
    return await git(this.#work, args);
  }

  /** Runs git in the bare repository. */
  async bare(args: readonly string[]): Promise<string> {
    return await git(this.path, args);
  }

  /** The working tree. */
  get work(): string {
    return this.#work;
  }
}

async function git(cwd: string, args: readonly string[]): Promise<string> {
  const done = await run("git", args, { env: ENV, cwd });
  if (done.code === 0) return done.stdout;
  throw new Error(`git ${args.join(" ")}: ${done.stderr}`);
}
