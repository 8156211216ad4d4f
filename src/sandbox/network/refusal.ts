/** What a tool is told when a host is refused. */
import { quote } from "../../base/text.ts";
import type { AddressKind } from "./addresses.ts";
import type { Refusal } from "./rules.ts";

/** What was asked for, and where it could be allowed. */
export interface Refused {
  /** In its one spelling, or as it was written when it is no host. */
  readonly host: string;
  readonly port: number;
  readonly refusal: Refusal;
  /** Path of the manifest. */
  readonly manifest: string;
}

/** How each kind of address is called. */
const KINDS: Readonly<Record<AddressKind, string>> = {
  public: "a public address",
  own: "an address of this machine",
  loopback: "this machine",
  private: "a private address",
  "link-local": "a link-local address",
  metadata: "a cloud's metadata service",
  shared: "an address of a carrier's or cloud's inner network",
  multicast: "a multicast address",
  unspecified: "no particular address",
  reserved: "a reserved address",
};

/** The message, and below it what to do; plain text of a few lines. */
export function refusalText(refused: Refused): string {
  const { host, port } = refused;
  const what = `Cannot connect to ${quote(host)} on port ${port}`;
  const entry = entryFor(refused);
  const hint = entry === undefined ? [] : [
    `To allow it, add ${quote(entry)} to network.allow under [sandbox] in ${
      quote(refused.manifest)
    }, outside the sandbox, and start the agent again`,
  ];
  return [`${what}: ${refusalState(refused)}`, ...hint, ""].join("\n");
}

/** The same for the first line of an answer, which is all that many tools show. ASCII only. */
export function refusalPhrase(refused: Refused): string {
  const entry = entryFor(refused);
  return entry === undefined
    ? "Refused by the sandbox of aenv"
    : `Refused by the sandbox of aenv: ${entry} is not in network.allow`;
}

/** Why not, as the end of a sentence. */
export function refusalState({ refusal }: Pick<Refused, "refusal">): string {
  switch (refusal.reason) {
    case "malformed":
      return refusal.detail;
    case "not-listed":
      return "the sandbox of this environment does not allow this host";
    case "other-port":
      return `the sandbox of this environment allows the host on other ports only (by ${
        quote(refusal.rule)
      })`;
    case "address":
      return `it leads to ${refusal.address}, ${
        KINDS[refusal.kind]
      }, which the sandbox of this environment does not allow`;
  }
}

/** What would have to be added; undefined where nothing helps. */
export function entryFor(
  { host, port, refusal }: Omit<Refused, "manifest">,
): string | undefined {
  switch (refusal.reason) {
    case "malformed":
      return undefined;
    case "not-listed":
    case "other-port":
      return withPort(host, port);
    case "address":
      if (refusal.kind === "multicast" || refusal.kind === "unspecified") {
        return undefined;
      }
      return refusal.kind === "loopback"
        ? `localhost:${port}`
        : withPort(refusal.address, port);
  }
}

function withPort(host: string, port: number): string {
  const isWeb = port === 80 || port === 443;
  if (isWeb && !/^(localhost|127\.0\.0\.1|::1)$/.test(host)) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
