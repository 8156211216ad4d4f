/** A repository, the server that has it, and a user who wants it. */

import assert from "node:assert/strict";
import type { AppError } from "../../../src/base/errors.ts";
import {
  type ContentKind,
  fetchSource,
  parseSource,
  type Resolution,
  resolveSource,
  type SourceContext,
} from "../../../src/sources/mod.ts";
import { SourceWorld } from "./context.ts";
import { GitRepository } from "./git_repository.ts";
import { readTree } from "./trees.ts";
import { WebServer } from "./web_server.ts";

/** Use with `await using`. */
export class GitWorld extends SourceWorld implements AsyncDisposable {
  #server: WebServer | undefined;

  private constructor() {
    super();
  }

  static async open(): Promise<GitWorld> {
    const world = new GitWorld();
    world.#server = await WebServer.start(world.dir("server"));
    return world;
  }

  get server(): WebServer {
    return this.#server!;
  }

  /** A new repository that the server has as `/git/NAME`. */
  async repository(name: string): Promise<GitRepository> {
    return await GitRepository.create(`${this.server.repositories}/${name}`);
  }

  /** A context that trusts the server. */
  override context(
    options: Parameters<SourceWorld["context"]>[0] = {},
  ): SourceContext {
    const env = { ...this.server.env, ...options.env };
    return super.context({ ...options, env });
  }

  /** Resolves a source. */
  async resolve(source: string, context = this.context()): Promise<Resolution> {
    return await resolveSource(parseSource(source), context);
  }

  /** Resolves and fetches a source; the files. */
  async take(
    source: string,
    options: {
      readonly kind?: ContentKind;
      readonly subpath?: string | undefined;
      readonly context?: SourceContext;
    } = {},
  ): Promise<Record<string, string>> {
    const context = options.context ?? this.context();
    const pin = await this.resolve(source, context);
    return readTree(await this.fetch(pin, { ...options, context }));
  }

  /** Fetches a pin; where the files are. */
  async fetch(
    pin: Resolution,
    options: {
      readonly kind?: ContentKind;
      readonly subpath?: string | undefined;
      readonly context?: SourceContext;
    } = {},
  ): Promise<string> {
    const { kind = "skill", subpath, context = this.context() } = options;
    return await fetchSource(pin, this.fresh(), { kind, subpath, context });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this[Symbol.dispose]();
  }
}

/** Checks that an action fails with this code and message. */
export async function fails(
  action: () => Promise<unknown>,
  code: AppError["code"],
  message: RegExp,
): Promise<AppError> {
  let found: AppError | undefined;
  await assert.rejects(action, (error: AppError) => {
    found = error;
    assert.equal(error.code, code, `${error.message} ${error.hint}`);
    assert.match(`${error.message}\n${error.hint}`, message);
    return true;
  });
  return found!;
}
