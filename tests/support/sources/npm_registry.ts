/** A real npm registry on this machine, with its own certificate authority. */

import { repositoryRoot } from "../agents.ts";
import { run, waitFor } from "../process.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { writeTree } from "./trees.ts";

/** What a package consists of besides its name and version. */
export interface PackageOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly tag?: string;
}

const PROGRAM = "node_modules/verdaccio/bin/verdaccio";

/** Verdaccio. Packages in `@private` want a login. Use with `await using`. */
export class NpmRegistry implements AsyncDisposable {
  readonly certificates: Certificates;
  /** `https://localhost:PORT/`. */
  readonly url: string;
  /** Of a user who may read and publish everything. */
  token = "";
  readonly login = { name: "me", password: "secret-password" };
  readonly #dir: string;
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<string>;

  private constructor(dir: string, port: number, certificates: Certificates) {
    this.#dir = dir;
    this.certificates = certificates;
    this.url = `https://localhost:${port}/`;
    this.#child = new Deno.Command("node", {
      args: [
        `${repositoryRoot()}/.cache/registry/${PROGRAM}`,
        ...["--config", `${dir}/config.yaml`],
        ...["--listen", `https://localhost:${port}`],
      ],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", HOME: dir },
      cwd: dir,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#log = new Response(this.#child.stderr).text();
  }

  /** Starts one with its files in `dir`, and makes a user. Throws with its words when it does not start. */
  static async start(dir: string): Promise<NpmRegistry> {
    const certificates = await makeCertificates(`${dir}/certificates`);
    Deno.writeTextFileSync(`${dir}/config.yaml`, configuration(dir));
    const registry = new NpmRegistry(dir, freePort(), certificates);
    try {
      await registry.#begin();
    } catch (error) {
      await registry[Symbol.asyncDispose]();
      throw new Error(await registry.#log, { cause: error });
    }
    return registry;
  }

  async #begin(): Promise<void> {
    await waitFor("the registry answers", async () => {
      const answer = await this.#ask("-/ping").catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.ok ? true : undefined;
    }, 60_000);
    const { name, password } = this.login;
    const answer = await this.#ask(`-/user/org.couchdb.user:${name}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, password }),
    });
    this.token = (await answer.json()).token;
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const caCerts = [Deno.readTextFileSync(this.certificates.caFile)];
    const client = Deno.createHttpClient({ caCerts });
    try {
      const answer = await fetch(this.url + path, { ...init, client });
      const body = await answer.arrayBuffer();
      const { status, headers } = answer;
      return new Response(body, { status, headers });
    } finally {
      client.close();
    }
  }

  /** Publishes a package with npm. */
  async publish(
    name: string,
    version: string,
    options: PackageOptions = {},
  ): Promise<void> {
    const dir = Deno.makeTempDirSync({ dir: this.#dir });
    writeTree(dir, {
      "package.json": JSON.stringify({ name, version }),
      "SKILL.md": `# ${name} ${version}`,
      ...options.files,
    });
    const tag = options.tag ?? "latest";
    await this.npm(["publish", dir, "--tag", tag, "--access", "public"]);
  }

  /** Runs npm as the user. */
  async npm(args: readonly string[]): Promise<string> {
    const { host } = new URL(this.url);
    const npmrc = `${this.#dir}/npmrc`;
    Deno.writeTextFileSync(
      npmrc,
      `registry=${this.url}\n//${host}/:_authToken=${this.token}\n` +
        `cafile=${this.certificates.caFile}\nupdate-notifier=false\n`,
    );
    const done = await run("npm", [...args, "--userconfig", npmrc], {
      env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", HOME: this.#dir },
      cwd: this.#dir,
    });
    if (done.code === 0) return done.stdout;
    throw new Error(`npm ${args.join(" ")}: ${done.stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch (error) {
      // It could not start, and its words say why.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#child.status;
    await this.#log;
  }
}

function configuration(dir: string): string {
  return `
storage: ${dir}/storage
auth:
  htpasswd:
    file: ${dir}/htpasswd
    algorithm: sha1
uplinks: {}
packages:
  "@private/*":
    access: $authenticated
    publish: $authenticated
    unpublish: $authenticated
  "**":
    access: $all
    publish: $authenticated
    unpublish: $authenticated
https:
  key: ${dir}/certificates/server.key
  cert: ${dir}/certificates/server.pem
log: { type: stdout, format: pretty, level: warn }
`;
}

/** A port that nobody listens on, below those that systems hand out by themselves: no other test gets it before the registry. */
function freePort(): number {
  const [first, count] = [10_240, 20_000];
  for (;;) {
    const port = first + Math.floor(count * Math.random());
    try {
      using listener = Deno.listen({ hostname: "127.0.0.1", port });
      return listener.addr.port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
