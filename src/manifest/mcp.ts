/** `[mcp.<name>]`: MCP servers. */
import { nameProblem } from "../base/ids.ts";
import { quote } from "../base/text.ts";
import { type KeyPath, type Reader, showPath, type Table } from "./reader.ts";
import { findReferences } from "./references.ts";
import { parseServerSandbox } from "./sandbox.ts";
import type { McpServer } from "./schema.ts";

/** Keys of `[mcp.<name>]`. */
export const SERVER_KEYS = [
  "type",
  "command",
  "args",
  "env",
  "url",
  "headers",
  "cwd",
  "secret_args",
  "disabled",
  "sandbox",
] as const;
/** Keys that only a server with a command has. */
const COMMAND_KEYS = ["args", "env", "cwd", "secret_args", "sandbox"];
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** A field name of RFC 9110. */
const HEADER = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** Reads `[mcp]`: each server has a command or a url, never both and never neither. */
export function parseMcp(
  reader: Reader,
  value: unknown,
): Record<string, McpServer> {
  const out: Record<string, McpServer> = {};
  for (const [name, item] of Object.entries(reader.anyTable(value, ["mcp"]))) {
    const path = ["mcp", name];
    const problem = nameProblem(name);
    if (problem !== undefined) {
      reader.fail(path, `the name ${quote(name)} cannot be used: ${problem}`);
    }
    out[name] = parseServer(
      reader,
      reader.table(item, path, SERVER_KEYS),
      path,
    );
  }
  return out;
}

function parseServer(reader: Reader, table: Table, path: KeyPath): McpServer {
  const hasCommand = table["command"] !== undefined;
  const hasUrl = table["url"] !== undefined;
  if (hasCommand === hasUrl) {
    const state = hasCommand
      ? "has both command and url"
      : "has neither command nor url";
    reader.fail(
      path,
      `${showPath(path)} ${state}`,
      "Give it a command or a url",
    );
  }
  return hasCommand
    ? parseStdio(reader, table, path)
    : parseRemote(reader, table, path);
}

function parseStdio(reader: Reader, table: Table, path: KeyPath): McpServer {
  reader.choice(table["type"], [...path, "type"], ["stdio"]);
  if (table["headers"] !== undefined) {
    reader.fail(
      [...path, "headers"],
      `${showPath(path)} has a command, and headers need a url`,
    );
  }
  const command = reader.required(table["command"], [...path, "command"]);
  const args = reader.list(table["args"], [...path, "args"])
    .map((item, i) => reader.string(item, [...path, "args", i]) ?? "");
  const env = reader.stringTable(table["env"], [...path, "env"]);
  for (const name of Object.keys(env)) {
    if (!VARIABLE.test(name)) {
      reader.fail(
        [...path, "env", name],
        `${quote(name)} is not a variable name`,
      );
    }
  }
  const secretArgs = parseSecretArgs(reader, table, path);
  checkReferences(reader, [command], { path, secrets: false });
  checkReferences(reader, args, { path, secrets: secretArgs });
  checkReferences(reader, Object.values(env), {
    path: [...path, "env"],
    secrets: true,
  });
  return {
    type: "stdio",
    command,
    args,
    env,
    cwd: parseCwd(reader, table, path),
    secretArgs,
    disabled: parseDisabled(reader, table, path),
    sandbox: parseServerSandbox(reader, table["sandbox"], [...path, "sandbox"]),
  };
}

function parseSecretArgs(
  reader: Reader,
  table: Table,
  path: KeyPath,
): boolean {
  const at = [...path, "secret_args"];
  const text = reader.choice(table["secret_args"], at, ["refuse", "allow"]);
  return text === "allow";
}

/** A directory that the launch finds: nothing in it is filled in. */
function parseCwd(
  reader: Reader,
  table: Table,
  path: KeyPath,
): string | undefined {
  if (table["cwd"] === undefined) return undefined;
  const at = [...path, "cwd"];
  const cwd = reader.required(table["cwd"], at);
  if (cwd.includes("${") || /^~[^/]/.test(cwd)) {
    reader.fail(
      at,
      `${quote(cwd)} is not a directory's path`,
      "Write it absolute, as ~/DIR, or relative to this file",
    );
  }
  return cwd;
}

function parseDisabled(
  reader: Reader,
  table: Table,
  path: KeyPath,
): boolean {
  return reader.boolean(table["disabled"], [...path, "disabled"], false);
}

function parseRemote(reader: Reader, table: Table, path: KeyPath): McpServer {
  const type = reader.choice(table["type"], [...path, "type"], ["http", "sse"]);
  for (const key of COMMAND_KEYS) {
    if (table[key] !== undefined) {
      reader.fail(
        [...path, key],
        `${showPath(path)} has a url, and ${key} needs a command`,
      );
    }
  }
  const url = reader.required(table["url"], [...path, "url"]);
  if (!/^https?:\/\/[^/]/i.test(url)) {
    reader.fail([...path, "url"], `${quote(url)} is not an http or https URL`);
  }
  const headers = reader.stringTable(table["headers"], [...path, "headers"]);
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER.test(name) || /[\r\n]/.test(value)) {
      reader.fail(
        [...path, "headers", name],
        `${quote(name)} is not a valid header`,
      );
    }
  }
  checkReferences(reader, [url, ...Object.values(headers)], {
    path,
    secrets: true,
  });
  return { type, url, headers, disabled: parseDisabled(reader, table, path) };
}

function checkReferences(
  reader: Reader,
  texts: readonly string[],
  options: { path: KeyPath; secrets: boolean },
): void {
  const { path } = options;
  for (const reference of texts.flatMap(findReferences)) {
    if (reference.kind === "invalid") {
      reader.fail(
        path,
        `${quote(reference.text)} in ${showPath(path)} is not a reference`,
        "Use ${env:VAR}, ${VAR}, ${VAR:-default} or ${secret:KEY}",
      );
    }
    if (reference.kind === "secret" && !options.secrets) {
      reader.fail(
        path,
        `${
          showPath(path)
        } has a secret in its command line, which every process can read`,
        'Pass it in env, url or headers; where the server knows no other way, write secret_args = "allow"',
      );
    }
  }
}
