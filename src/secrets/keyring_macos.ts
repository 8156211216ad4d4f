/** The keychain of macOS through `security`: values go to its standard input, never into arguments. */
import { parseSecretKey, type SecretKey } from "../base/secret_key.ts";
import { decodeBase64, encodeBase64, isBase64 } from "../base/base64.ts";
import type { Host } from "../os/host.ts";
import { type CommandResult, runCommand } from "../os/command.ts";
import { randomHex } from "../os/fs.ts";
import {
  cancelled,
  locked,
  type Subject,
  unavailable,
} from "./keyring_errors.ts";
import type { Backend, EnvIdentity } from "./types.ts";
import { SecretValue } from "./value.ts";

/** The keychain's own program; another one on PATH is not asked. */
const SECURITY = "/usr/bin/security";
/** How long a person may take to answer, milliseconds. */
const PROMPT_MS = 120_000;
const MAX_OUTPUT = 1024 * 1024;
/** `security -i` reads lines of at most 4095 bytes: a longer value is kept in parts. */
const PART_LENGTH = 3000;

/** Exit codes of `security`: the low byte of errSecItemNotFound, errSecInteractionNotAllowed, errSecUserCanceled, errSecAuthFailed. */
const EXIT = { missing: 44, locked: 36, cancelled: 128, denied: 51 } as const;

/** One keychain item: `account` is a key, or one with `#` and the number of a part. */
export interface KeychainItem {
  readonly env: EnvIdentity;
  readonly account: string;
}

function serviceOf(env: EnvIdentity): string {
  return `aenv:${env}`;
}

/** What `security -i` reads to keep a text, which must be without quotes, backslashes and line ends. */
export function addCommand(
  { env, account }: KeychainItem,
  { text, label }: { readonly text: string; readonly label: string },
): string {
  const words = [
    "add-generic-password -U",
    `-a "${account}"`,
    `-s "${serviceOf(env)}"`,
    `-l "${label.replace(/[^A-Za-z0-9 ._:()-]/g, "_")}"`,
    `-w "${text}"`,
  ];
  return words.join(" ") + "\n";
}

/** Arguments that print an item's text; without `shows` they only tell whether it is there. */
export function findArguments(
  { env, account }: KeychainItem,
  options: { readonly shows: boolean },
): string[] {
  const find = ["find-generic-password", "-a", account, "-s", serviceOf(env)];
  return options.shows ? [...find, "-w"] : find;
}

/** Arguments that remove an item. */
export function deleteArguments({ env, account }: KeychainItem): string[] {
  return ["delete-generic-password", "-a", account, "-s", serviceOf(env)];
}

/** The texts that hold a value, by account: the first says in which parts the rest is. `mark` tells them from older ones. */
export function splitValue(
  key: SecretKey,
  value: Uint8Array,
  mark: string,
): { readonly account: string; readonly text: string }[] {
  const text = encodeBase64(value);
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += PART_LENGTH) {
    parts.push(text.slice(at, at + PART_LENGTH));
  }
  const [first = "", ...rest] = parts;
  return [
    { account: key, text: `v1:${mark}:${rest.length}:${first}` },
    ...rest.map((part, i) => ({
      account: partAccount(key, mark, i + 1),
      text: part,
    })),
  ];
}

/** What the first text of a value says; undefined when we did not write it. */
export function parseHead(
  key: SecretKey,
  text: string,
): { readonly first: string; readonly accounts: string[] } | undefined {
  const match = /^v1:([0-9a-f]+):(\d{1,3}):([A-Za-z0-9+/=]*)$/.exec(text);
  if (!match) return undefined;
  const [, mark, count, first] = match;
  const accounts = Array.from(
    { length: Number(count) },
    (_, i) => partAccount(key, mark!, i + 1),
  );
  return { first: first!, accounts };
}

/** `#` is in no key: a part is nobody's secret. */
function partAccount(key: SecretKey, mark: string, index: number): string {
  return `${key}#${mark}.${index}`;
}

/** The user's keychain. `program` is for tests. */
export function macosKeyring(host: Host, program = SECURITY): Backend {
  const keychain = new Keychain(host, program);
  return {
    name: "keyring",
    async read(env, keys) {
      const values = await Promise.all(
        keys.map(async (key) => [key, await keychain.read(env, key)] as const),
      );
      return new Map(
        values.flatMap(([key, value]) =>
          value === undefined ? [] : [[key, value] as const]
        ),
      );
    },
    write: (env, item) => keychain.write(env, item),
    remove: (env, key) => keychain.remove(env, key),
    async keys(env, candidates) {
      const found = await Promise.all(
        candidates.map((key) => keychain.has({ env, account: key })),
      );
      return new Set(
        candidates.filter((_, i) => found[i]).map(parseSecretKey),
      );
    },
  };
}

class Keychain {
  readonly #host: Host;
  readonly #program: string;

  constructor(host: Host, program: string) {
    this.#host = host;
    this.#program = program;
  }

  async read(
    env: EnvIdentity,
    key: SecretKey,
  ): Promise<SecretValue | undefined> {
    const head = await this.#text({ env, account: key }, key);
    if (head === undefined) return undefined;
    const parsed = parseHead(key, head);
    const rest = await Promise.all(
      (parsed?.accounts ?? []).map((account) =>
        this.#text({ env, account }, key)
      ),
    );
    const text = parsed && parsed.first + rest.join("");
    if (text === undefined || rest.includes(undefined) || !isBase64(text)) {
      throw unavailable(key, "its keychain item is not as aenv wrote it", {
        hint: `Give it a value again: aenv secrets rotate ${key}`,
      });
    }
    return new SecretValue(decodeBase64(text));
  }

  /** Parts come first and the first text last: a reader sees the old value or the new one. Then older parts go. */
  async write(
    env: EnvIdentity,
    { key, value, label }: {
      readonly key: SecretKey;
      readonly value: SecretValue;
      readonly label: string;
    },
  ): Promise<void> {
    const old = await this.#text({ env, account: key }, key);
    const items = splitValue(key, value.reveal(), randomHex(8));
    for (const { account, text } of items.toReversed()) {
      const line = addCommand({ env, account }, { text, label });
      const result = await this.#run(["-i"], key, line);
      if (result.code !== 0) throw refusal(result, key);
    }
    // `security -i` says little about what went wrong.
    const kept = await this.read(env, key);
    if (!kept?.equals(value)) {
      throw unavailable(key, "the keychain did not keep it");
    }
    await this.#removeParts(env, key, old);
  }

  async remove(env: EnvIdentity, key: SecretKey): Promise<boolean> {
    const old = await this.#text({ env, account: key }, key);
    if (old === undefined) return false;
    await this.#delete({ env, account: key }, key);
    await this.#removeParts(env, key, old);
    return true;
  }

  async has(item: KeychainItem): Promise<boolean> {
    const result = await this.#run(
      findArguments(item, { shows: false }),
      item.account,
    );
    if (result.code === 0) return true;
    if (result.code === EXIT.missing) return false;
    throw refusal(result, item.account);
  }

  async #removeParts(
    env: EnvIdentity,
    key: SecretKey,
    head: string | undefined,
  ): Promise<void> {
    const parsed = head === undefined ? undefined : parseHead(key, head);
    for (const account of parsed?.accounts ?? []) {
      await this.#delete({ env, account }, key);
    }
  }

  async #delete(item: KeychainItem, subject: Subject): Promise<void> {
    const result = await this.#run(deleteArguments(item), subject);
    const isGone = result.code === 0 || result.code === EXIT.missing;
    if (!isGone) throw refusal(result, subject);
  }

  async #text(
    item: KeychainItem,
    subject: Subject,
  ): Promise<string | undefined> {
    const result = await this.#run(
      findArguments(item, { shows: true }),
      subject,
    );
    if (result.code === 0) return result.stdout.trim();
    if (result.code === EXIT.missing) return undefined;
    throw refusal(result, subject);
  }

  async #run(
    args: readonly string[],
    subject: Subject,
    input?: string,
  ): Promise<CommandResult> {
    const result = await runCommand(this.#program, args, {
      env: { HOME: this.#host.home(), PATH: "/usr/bin:/bin" },
      timeoutMs: PROMPT_MS,
      maxOutputBytes: MAX_OUTPUT,
      ...(input === undefined ? {} : { input }),
    });
    if (result.ended === undefined) return result;
    throw cancelled(subject, "nobody answered the keychain");
  }
}

function refusal(result: CommandResult, subject: Subject): unknown {
  switch (result.code) {
    case EXIT.locked:
      return locked(subject, "Unlock it: security unlock-keychain");
    case EXIT.cancelled:
    case EXIT.denied:
      return cancelled(subject, "it was not allowed");
    default: {
      const [line = ""] = result.stderr.trim().split("\n");
      const state = `security ended with exit code ${result.code}`;
      return unavailable(subject, line === "" ? state : `${state}: ${line}`);
    }
  }
}
