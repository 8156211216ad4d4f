/** Envs with secrets, for tests of what decides whose they are and where they are kept. */
import { join } from "../../src/base/paths.ts";
import type { AbsPath } from "../../src/base/paths.ts";
import type { EnvFacts } from "../../src/secrets/mod.ts";
import { EnvWorld } from "./env_world.ts";

/** A user's home; `git` is run with nothing of the machine's own configuration. */
export class SecretsWorld extends EnvWorld {
  /** What is known of a named env. */
  named(name: string): EnvFacts {
    const slot = join(this.dirs.envs, name);
    Deno.mkdirSync(slot, { recursive: true });
    return { label: name, option: name, slot, project: undefined };
  }

  /** What is known of the project in a directory, whose slot has this name. */
  project(dir: string, slotName: string): EnvFacts {
    const path = this.path(dir);
    Deno.mkdirSync(path, { recursive: true });
    const real = Deno.realPathSync(path) as AbsPath;
    const manifest = join(real, "aenv.toml");
    const slot = join(this.dirs.envs, slotName);
    Deno.mkdirSync(slot, { recursive: true });
    Deno.writeTextFileSync(join(slot, "project"), manifest + "\n");
    return {
      label: "p",
      option: manifest,
      slot,
      project: { dir: real, manifest },
    };
  }

  /** Makes a repository with one commit. */
  repository(dir: string): void {
    this.write(`${dir}/README`, "x\n");
    this.git(dir, "init", "-q", ".");
    this.git(dir, "add", "README");
    this.git(dir, "commit", "-q", "-m", "x");
  }

  /** Runs git in a directory of the home. */
  git(dir: string, ...args: string[]): void {
    const own = ["user.name=me", "user.email=me@host.example"];
    const result = new Deno.Command("git", {
      args: [
        ...own.flatMap((pair) => ["-c", pair]),
        ...["-c", "protocol.file.allow=always"],
        ...args,
      ],
      cwd: this.path(dir),
      clearEnv: true,
      env: {
        HOME: this.home,
        PATH: Deno.env.get("PATH") ?? "",
        GIT_CONFIG_NOSYSTEM: "1",
      },
    }).outputSync();
    if (result.success) return;
    throw new Error(new TextDecoder().decode(result.stderr));
  }
}
