import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { TempDir } from "../../tests/support/temp.ts";
import { dirsAt } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { type Host, hostWith } from "../os/host.ts";
import { refFromOption, refFromText, resolveEnv } from "./resolve.ts";
import type { EnvRef } from "./types.ts";

/** A home with a directory `p/sub` to stand in. */
class World implements Disposable {
  readonly #temp = new TempDir();
  readonly root = this.#temp.path as AbsPath;
  readonly cwd = join(this.root, "p", "sub");
  readonly dirs = dirsAt(join(this.root, "home"));

  constructor() {
    Deno.mkdirSync(this.cwd, { recursive: true });
    Deno.mkdirSync(this.dirs.root);
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }

  host(env: Record<string, string> = {}, parts: Partial<Host> = {}): Host {
    return hostWith({ env, cwd: () => this.cwd, os: "linux", ...parts });
  }

  write(path: string, text: string): void {
    Deno.writeTextFileSync(join(this.root, path), text);
  }

  resolve(env: Record<string, string> = {}) {
    return resolveEnv(this.host(env), this.dirs);
  }
}

const named = (name: string) => ({ kind: "named", name }) as EnvRef;

Deno.test("resolveEnv() takes the first that is there: override, AENV, pin, shell, default, global", () => {
  using world = new World();
  world.write("home/config.toml", 'default_env = "e-config"\n');
  world.write("p/.aenv-version", "e-pin\n");
  const env: Record<string, string> = {
    AENV_OVERRIDE: "e-override",
    AENV: "e-aenv",
    AENV_SHELL: "e-shell",
  };
  const seen: [string, EnvRef][] = [];
  const look = () => {
    const { source, ref } = world.resolve(env);
    seen.push([source, ref]);
  };
  look();
  delete env["AENV_OVERRIDE"];
  look();
  delete env["AENV"];
  look();
  Deno.removeSync(join(world.root, "p", ".aenv-version"));
  look();
  delete env["AENV_SHELL"];
  look();
  Deno.removeSync(world.dirs.config);
  look();
  deepStrictEqual(seen, [
    ["AENV_OVERRIDE", named("e-override")],
    ["AENV", named("e-aenv")],
    ["version file", named("e-pin")],
    ["AENV_SHELL", named("e-shell")],
    ["default_env", named("e-config")],
    ["none", { kind: "global" }],
  ]);
});

Deno.test("resolveEnv() records every step up to the one that matched, and no later one", () => {
  using world = new World();
  world.write("p/.aenv-version", "work\n");
  const pin = join(world.root, "p", ".aenv-version");
  const missed = { result: "not set", matched: false };
  deepStrictEqual(world.resolve({ AENV: "" }), {
    ref: named("work"),
    source: "version file",
    file: pin,
    steps: [
      { source: "AENV_OVERRIDE", looked: "$AENV_OVERRIDE", ...missed },
      { source: "AENV", looked: "$AENV", ...missed },
      {
        source: "version file",
        looked: world.cwd,
        result: "no pin and no manifest",
        matched: false,
      },
      {
        source: "version file",
        looked: pin,
        result: "matched: work",
        matched: true,
      },
    ],
  });
});

Deno.test("resolveEnv() ends at global when a pin or a variable says so", () => {
  using world = new World();
  world.write("home/config.toml", 'default_env = "e"\n');
  strictEqual(world.resolve({ AENV_OVERRIDE: "global" }).ref.kind, "global");
  world.write("p/.aenv-version", "global\n");
  const { ref, source } = world.resolve();
  deepStrictEqual([ref.kind, source], ["global", "version file"]);
});

Deno.test("resolveEnv() finds a project's manifest without reading it", () => {
  using world = new World();
  world.write("p/aenv.toml", "this is not TOML [");
  const manifest = join(world.root, "p", "aenv.toml");
  deepStrictEqual(world.resolve().ref, { kind: "project", manifest });
});

Deno.test("resolveEnv() takes the manifest of a named env for that env", () => {
  using world = new World();
  const manifest = join(world.dirs.envs, "work", "aenv.toml");
  deepStrictEqual(world.resolve({ AENV: manifest }).ref, named("work"));
});

Deno.test("resolveEnv() fails at the first broken step and never goes on to the next", () => {
  using world = new World();
  world.write("home/config.toml", 'default_env = "fine"\n');
  const codeOf = (env: Record<string, string>) => {
    try {
      return world.resolve(env).source;
    } catch (error) {
      return (error as AppError).code;
    }
  };
  strictEqual(codeOf({ AENV_OVERRIDE: "..", AENV: "fine" }), "NAME_INVALID");
  strictEqual(codeOf({ AENV: "Global" }), "ENV_RESERVED");
  strictEqual(codeOf({ AENV: "/p/other.toml" }), "NAME_INVALID");
  strictEqual(codeOf({ AENV_SHELL: "a b" }), "NAME_INVALID");
  world.write("p/.aenv-version", "one\ntwo\n");
  strictEqual(codeOf({ AENV_SHELL: "fine" }), "PIN_INVALID");
  world.write("home/config.toml", "default_env = [");
  strictEqual(codeOf({}), "PIN_INVALID");
  Deno.removeSync(join(world.root, "p", ".aenv-version"));
  strictEqual(codeOf({}), "CONFIG_INVALID");
});

Deno.test("resolveEnv() does not ask for the current directory when a variable decides", () => {
  using world = new World();
  const cwd = () => {
    throw new AppError("CWD_GONE", "Cannot use the current directory");
  };
  const host = world.host({ AENV: "work" }, { cwd });
  deepStrictEqual(resolveEnv(host, world.dirs).ref, named("work"));
  const without = world.host({}, { cwd });
  throws(() => resolveEnv(without, world.dirs), { code: "CWD_GONE" });
});

Deno.test("refFromOption() takes names, and paths to a manifest or its directory", () => {
  using world = new World();
  const at = (value: string) => refFromOption(value, world.host(), world.dirs);
  const project = (...parts: string[]) => ({
    kind: "project",
    manifest: join(world.root, ...parts),
  });
  deepStrictEqual(at("work"), named("work"));
  deepStrictEqual(at("global"), { kind: "global" });
  deepStrictEqual(at("./x"), project("p", "sub", "x", "aenv.toml"));
  deepStrictEqual(at("../aenv.toml"), project("p", "aenv.toml"));
  deepStrictEqual(at("/q/"), { kind: "project", manifest: "/q/aenv.toml" });
  deepStrictEqual(at(join(world.dirs.envs, "w")), named("w"));
  deepStrictEqual(at("."), project("p", "sub", "aenv.toml"));
  deepStrictEqual(at(".."), project("p", "aenv.toml"));
  for (const bad of ["", "...", "-x", "a b", "é"]) {
    throws(() => at(bad), { code: "NAME_INVALID" }, bad);
  }
});

Deno.test("refFromText() gives a ref or an AppError for any text", () => {
  const dirs = dirsAt("/home/me/.aenv" as AbsPath);
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..."/.a-\0 ~") }),
    fc.string({ unit: fc.constantFrom(..."/.a") }).map((s) => `${s}/aenv.toml`),
  );
  fc.assert(fc.property(text, (any) => {
    try {
      const ref = refFromText(any, dirs);
      if (ref.kind === "named") {
        strictEqual(/^[\w][\w.-]*$/.test(ref.name), true);
      }
      if (ref.kind === "project") {
        strictEqual(ref.manifest.startsWith("/"), true);
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }));
});
