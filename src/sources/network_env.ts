/** What the environment says of proxies and certificates. */
import { isInNoProxy } from "../base/no_proxy.ts";
import type { Host } from "../os/host.ts";
import { readText } from "../os/fs.ts";

/** Variables that name a file with certificates to trust, as other programs use them. */
const CERTIFICATE_VARIABLES = [
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "DENO_CERT",
];

/** Where systems keep the certificates that their administrator trusts; the first that is there counts. */
const SYSTEM_CERTIFICATES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

const MAX_BYTES = 8 * 1024 * 1024;

/** Texts of the certificates that this system and this user trust besides the built-in ones. Throws `IO` for a file that cannot be read. */
export function caCertificates(host: Pick<Host, "env" | "os">): string[] {
  const named = CERTIFICATE_VARIABLES.map((name) => host.env[name] ?? "");
  const system = host.os === "windows" ? [] : SYSTEM_CERTIFICATES;
  const found: string[] = [];
  for (const path of new Set(named)) {
    const text = path === "" ? undefined : readText(path, MAX_BYTES);
    if (text !== undefined) found.push(text);
  }
  for (const path of system) {
    const text = readText(path, MAX_BYTES);
    if (text !== undefined) return [...found, text];
  }
  return found;
}

/** The proxy that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` give for an address, in either case; undefined for none. */
export function proxyFor(
  url: URL,
  env: Readonly<Record<string, string>>,
): string | undefined {
  const read = (name: string) => env[name.toLowerCase()] || env[name];
  if (isExempt(url, read("NO_PROXY") ?? "")) return undefined;
  const own = read(url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  return withScheme(own || read("ALL_PROXY"));
}

/** A proxy's address is often written as `host:port`. */
export function withScheme(proxy: string | undefined): string | undefined {
  if (!proxy) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

/** Whether `list`, as `NO_PROXY` has it, names the address. */
export function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  return isInNoProxy({ host, port }, list);
}
