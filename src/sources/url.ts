/** Addresses of sources: which are taken, and in what form. */
import { AppError } from "../base/errors.ts";
import { looksLikeCredential, redact } from "../base/redact.ts";
import { quote } from "../base/text.ts";

/** The transports that carry nothing in the clear. */
export type Transport = "https" | "ssh" | "file";

/** `text` as a normalised address, without its fragment. Throws `SOURCE_REFUSED`, `SOURCE_INVALID`. */
export function checkUrl(text: string, transports: readonly Transport[]): URL {
  const url = URL.parse(text);
  if (url === null) throw invalid(text, "it is not a valid address");
  const transport = transports.find((name) => url.protocol === name + ":");
  if (transport === undefined) throw wrongScheme(text, url, transports);
  url.hash = "";
  refuseCredentials(text, url);
  if (transport === "file") {
    if (url.host !== "") throw invalid(text, "it names a host");
  } else if (!/^[A-Za-z0-9[]/.test(url.hostname)) {
    // A host that looks like an option must not reach a command line.
    throw invalid(text, "it has no valid host");
  }
  return url;
}

function wrongScheme(
  text: string,
  url: URL,
  transports: readonly Transport[],
): AppError {
  const isPlain = url.protocol === "http:" || url.protocol === "git:";
  if (!isPlain) return invalid(text, `it does not start with ${transports[0]}`);
  return new AppError(
    "SOURCE_REFUSED",
    `Cannot use ${quoteUrl(text)}: it is a transport without encryption`,
    { hint: `Use ${transports[0]}://` },
  );
}

function refuseCredentials(text: string, url: URL): void {
  const isLogin = url.protocol === "ssh:" && url.password === "";
  if (!isLogin && (url.username !== "" || url.password !== "")) {
    throw new AppError(
      "SOURCE_REFUSED",
      `Cannot use ${quoteUrl(text)}: it holds a user name or password`,
      {
        hint:
          "Take it out: git asks your credential helper, npm reads .npmrc; nothing secret belongs into a manifest or a lock",
      },
    );
  }
  if (url.username.startsWith("-")) {
    throw invalid(text, "it has no valid user name");
  }
  for (const [name, value] of url.searchParams) {
    if (!looksLikeCredential(name, value)) continue;
    throw new AppError(
      "SOURCE_REFUSED",
      `Cannot use ${quoteUrl(text)}: its parameter ${
        quote(name)
      } looks like a credential`,
      { hint: "Nothing secret belongs into a manifest or a lock" },
    );
  }
}

function invalid(text: string, state: string): AppError {
  return new AppError(
    "SOURCE_INVALID",
    `Cannot use ${quoteUrl(text)} as an address: ${state}`,
    { hint: "Write it as scheme://host/path" },
  );
}

/** An address for a message: no user, no password, no parameters. */
export function quoteUrl(text: string): string {
  const bare = text.replace(/\/\/[^/]*@/, "//").replace(/\?.*$/, "?…");
  return quote(redact(bare));
}
