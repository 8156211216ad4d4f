/** What tests of programs behind the proxy stand in. */

import assert from "node:assert/strict";
import { ORIGIN } from "../support/sources/certificates.ts";
import { WebServer } from "../support/sources/web_server.ts";
import { type Finished, run } from "../support/process.ts";
import { ProxyWorld, type ProxyWorldOptions } from "../support/proxy_world.ts";
import { TempDir } from "../support/temp.ts";

const PATH = Deno.env.get("PATH") ?? "/usr/bin:/bin";

/** What a test may set. */
export interface ToolsOptions extends Pick<ProxyWorldOptions, "names" | "env"> {
  /** More ports that may be connected to. */
  readonly ports?: readonly string[];
}

/** A directory, an https server that is `origin.test` for the proxy only, and a proxy that lets it be reached. Use with `await using`. */
export class Tools implements AsyncDisposable {
  readonly dir: TempDir;
  readonly web: WebServer;
  readonly world: ProxyWorld;
  readonly port: number;

  private constructor(
    dir: TempDir,
    web: WebServer,
    { ports: extra = [], ...options }: ToolsOptions,
  ) {
    this.dir = dir;
    this.web = web;
    this.port = Number(new URL(web.url).port);
    const ports = [this.port, ...extra.map(Number)];
    this.world = new ProxyWorld(
      ports.flatMap((port) => [`${ORIGIN}:${port}`, `localhost:${port}`]),
      { names: { [ORIGIN]: [["127.0.0.1"]] }, ...options },
    );
    web.serve("/file", "the file");
  }

  static async start(options: ToolsOptions = {}): Promise<Tools> {
    const dir = new TempDir();
    return new Tools(dir, await WebServer.start(dir.path), options);
  }

  /** `https://origin.test:PORT`. */
  get url(): string {
    return `https://${ORIGIN}:${this.port}`;
  }

  /** Runs a program with the proxy's variables and the server's authority. */
  async run(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Finished> {
    const home = `${this.dir.path}/home`;
    Deno.mkdirSync(home, { recursive: true });
    const { caFile } = this.web.certificates;
    return await run(program, args, {
      cwd: this.dir.path,
      env: {
        PATH,
        HOME: home,
        SSL_CERT_FILE: caFile,
        CURL_CA_BUNDLE: caFile,
        GIT_SSL_CAINFO: caFile,
        NODE_EXTRA_CA_CERTS: caFile,
        DENO_CERT: caFile,
        ...this.world.proxy.environment(),
        ...env,
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    await this.web[Symbol.asyncDispose]();
    this.dir[Symbol.dispose]();
  }
}

/** What a program printed. Throws when it failed. */
export function succeeded(done: Finished): string {
  assert.equal(done.code, 0, `${done.stdout}\n${done.stderr}`);
  return done.stdout;
}
