/** A context for sources, in a home of its own. */

import type { AbsPath } from "../../../src/base/paths.ts";
import {
  type Limits,
  type SourceContext,
  sourceContext,
  type SourceEvent,
} from "../../../src/sources/mod.ts";
import { TempDir } from "../temp.ts";

/** Directories for one test. Use with `using`. */
export class SourceWorld implements Disposable {
  readonly #temp = new TempDir("aenv-sources-");
  readonly events: SourceEvent[] = [];
  #count = 0;

  constructor() {
    for (const name of ["home", "project"]) Deno.mkdirSync(this.dir(name));
  }

  get root(): string {
    return this.#temp.path;
  }

  /** A path below the world's root. */
  dir(name: string): AbsPath {
    return `${this.#temp.path}/${name}` as AbsPath;
  }

  /** A new empty directory. */
  fresh(): AbsPath {
    const path = this.dir(`new-${this.#count++}`);
    Deno.mkdirSync(path);
    return path;
  }

  /** The environment of a machine where nobody has configured anything. */
  env(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      HOME: this.dir("home"),
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      ...more,
    };
  }

  /** A new command's context. */
  context(
    options: {
      readonly env?: Readonly<Record<string, string>>;
      readonly offline?: boolean;
      readonly trusted?: boolean;
      readonly signal?: AbortSignal;
      readonly limits?: Partial<Limits>;
    } = {},
  ): SourceContext {
    const { env, ...rest } = options;
    return sourceContext({
      host: {
        env: this.env(env),
        os: "linux",
        home: () => this.dir("home"),
      },
      manifestDir: this.dir("project"),
      temp: this.fresh(),
      progress: (event) => this.events.push(event),
      ...rest,
    });
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }
}
