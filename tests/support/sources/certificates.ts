/** A certificate authority for one test, and a certificate of its for this machine. */

import { run } from "../process.ts";

/** Paths and texts of the files. */
export interface Certificates {
  /** The authority's certificate: what a client must trust. */
  readonly caFile: string;
  readonly cert: string;
  readonly key: string;
}

/** A name that only a proxy's look-up knows. */
export const ORIGIN = "origin.test";

/** Makes them in `dir` with openssl, for more hosts as well. Throws with its words when it fails. */
export async function makeCertificates(
  dir: string,
  hosts: readonly string[] = [],
): Promise<Certificates> {
  Deno.mkdirSync(dir, { recursive: true });
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  await openssl(dir, [
    ...["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=aenv test CA"],
    ...["-keyout", "ca.key", "-out", "ca.pem", ...curve],
  ]);
  await openssl(dir, [
    ...["req", "-nodes", "-subj", "/CN=localhost"],
    ...["-keyout", "server.key", "-out", "server.csr", ...curve],
  ]);
  Deno.writeTextFileSync(
    `${dir}/names`,
    `subjectAltName=${
      ["localhost", ORIGIN, ...hosts].map((host) => `DNS:${host}`).join()
    },IP:127.0.0.1\n`,
  );
  await openssl(dir, [
    ...["x509", "-req", "-days", "2", "-in", "server.csr", "-CA", "ca.pem"],
    ...["-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem"],
    ...["-extfile", "names"],
  ]);
  return {
    caFile: `${dir}/ca.pem`,
    cert: Deno.readTextFileSync(`${dir}/server.pem`),
    key: Deno.readTextFileSync(`${dir}/server.key`),
  };
}

async function openssl(dir: string, args: readonly string[]): Promise<void> {
  const env = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" };
  const done = await run("openssl", args, { env, cwd: dir });
  if (done.code !== 0) throw new Error(`openssl ${args[0]}: ${done.stderr}`);
}
