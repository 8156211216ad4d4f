/** An https server on this machine: files, whatever a test wants, and git repositories through git's own CGI program. */

import { type Certificates, makeCertificates } from "./certificates.ts";

/** What a test's path answers. */
export type Answer = (request: Request) => Response | Promise<Response>;

/** The server. Use with `await using`. */
export class WebServer implements AsyncDisposable {
  readonly certificates: Certificates;
  /** Below this directory lie bare repositories, served as `/git/NAME`. */
  readonly repositories: string;
  /** Answers by path. */
  readonly answers = new Map<string, Answer>();
  /** `METHOD path` of all requests, in order. */
  readonly requests: string[] = [];
  /** `user:password` that repositories below `/git/private/` want. */
  login = "me:secret-password";
  /** Whether git may speak its newer protocol, in which any commit can be asked for. */
  hasProtocol2 = true;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(certificates: Certificates, repositories: string) {
    this.certificates = certificates;
    this.repositories = repositories;
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      cert: certificates.cert,
      key: certificates.key,
      onListen: () => undefined,
      onError: (error) => new Response(String(error), { status: 500 }),
    }, (request) => this.#answer(request));
  }

  /** Starts one that keeps its files in `dir`. */
  static async start(dir: string): Promise<WebServer> {
    const certificates = await makeCertificates(`${dir}/certificates`);
    Deno.mkdirSync(`${dir}/repositories`, { recursive: true });
    return new WebServer(certificates, `${dir}/repositories`);
  }

  /** `https://localhost:PORT`. */
  get url(): string {
    return `https://localhost:${this.#server.addr.port}`;
  }

  /** The environment that makes a program trust it. */
  get env(): Record<string, string> {
    const { caFile } = this.certificates;
    return { SSL_CERT_FILE: caFile, GIT_SSL_CAINFO: caFile };
  }

  /** Answers a path with these bytes. */
  serve(path: string, body: Uint8Array | string): void {
    this.answers.set(path, () => new Response(body as BodyInit));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    this.requests.push(`${request.method} ${url.pathname}`);
    const answer = this.answers.get(url.pathname);
    if (answer !== undefined) return await answer(request);
    if (!url.pathname.startsWith("/git/")) {
      return new Response("nothing", { status: 404 });
    }
    const isPrivate = url.pathname.startsWith("/git/private/");
    const basic = "Basic " + btoa(this.login);
    if (isPrivate && request.headers.get("authorization") !== basic) {
      const headers = { "www-authenticate": 'Basic realm="git"' };
      return new Response("login", { status: 401, headers });
    }
    return await this.#runGit(request, url);
  }

  async #runGit(request: Request, url: URL): Promise<Response> {
    const child = new Deno.Command("git", {
      args: ["http-backend"],
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
        GIT_PROJECT_ROOT: this.repositories,
        GIT_HTTP_EXPORT_ALL: "1",
        GIT_PROTOCOL: this.hasProtocol2
          ? request.headers.get("git-protocol") ?? ""
          : "",
        PATH_INFO: url.pathname.slice("/git".length),
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers.get("content-type") ?? "",
        HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
        REMOTE_ADDR: "127.0.0.1",
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    const body = new Uint8Array(await request.arrayBuffer());
    if (body.length > 0) await writer.write(body);
    await writer.close();
    return parseCgi((await child.output()).stdout);
  }
}

/** Header lines, an empty line, the body. */
function parseCgi(output: Uint8Array<ArrayBuffer>): Response {
  const end = findEnd(output);
  const lines = new TextDecoder().decode(output.subarray(0, end)).split("\r\n");
  const headers = new Headers();
  let status = 200;
  for (const line of lines) {
    const [name = "", value = ""] = line.split(/: (.*)/s);
    if (name === "Status") status = Number(value.slice(0, 3));
    else if (name !== "") headers.append(name, value);
  }
  return new Response(output.subarray(end + 4), { status, headers });
}

function findEnd(output: Uint8Array): number {
  for (let at = 0; at + 4 <= output.length; at++) {
    if (
      output[at] === 13 && output[at + 1] === 10 && output[at + 2] === 13 &&
      output[at + 3] === 10
    ) return at;
  }
  throw new Error("git http-backend: no headers");
}
