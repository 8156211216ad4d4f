/** Adding and taking out `[mcp.<name>]`. */
import { AppError } from "../base/errors.ts";
import type { ServerTable } from "../base/server_table.ts";
import { didYouMean, quote } from "../base/text.ts";
import { editManifest } from "./edit.ts";
import { type Document, isSame } from "./edit_values.ts";
import { parseMcp, SERVER_KEYS } from "./mcp.ts";
import { parseManifest } from "./parse.ts";
import { type DocumentKind, Reader } from "./reader.ts";
import type { Manifest } from "./schema.ts";

/** What a server outside of a manifest is called in errors. */
const SERVER: DocumentKind = { noun: "MCP server", code: "MANIFEST_INVALID" };

/** A server and the name it is to have. */
export interface NamedServer {
  readonly name: string;
  readonly table: ServerTable;
}

/** `text` with more servers, all of them or an error: `ITEM_EXISTS`, `MANIFEST_INVALID`. */
export function addServers(
  text: string,
  servers: readonly NamedServer[],
  { file }: { readonly file: string },
): string {
  const declared = Object.keys(parseManifest(text, file).mcp);
  const known = new Map(declared.map((name) => [name.toLowerCase(), name]));
  const taken = servers.filter(({ name }) => known.has(name.toLowerCase()));
  if (taken.length > 0) throw exists(taken.map(({ name }) => name), file);
  return editManifest(text, (document) => {
    const section = (document["mcp"] ??= {}) as Document;
    for (const { name, table } of servers) section[name] = inOrder(table);
  }, { file });
}

/** Whether the manifest declares just this server. Throws `MANIFEST_INVALID` for one that cannot be declared. */
export function hasServer(
  { mcp }: Manifest,
  { name, table }: NamedServer,
): boolean {
  const reader = new Reader("", name, SERVER);
  const server = parseMcp(reader, { [name]: inOrder(table) })[name];
  return Object.hasOwn(mcp, name) && isSame(mcp[name], server);
}

/** `text` without that server. Comment lines stay. Throws `ITEM_NOT_FOUND`, `MANIFEST_INVALID`. */
export function removeServer(
  text: string,
  name: string,
  { file }: { readonly file: string },
): string {
  const names = Object.keys(parseManifest(text, file).mcp);
  if (!names.includes(name)) {
    const near = didYouMean(name, names);
    throw new AppError(
      "ITEM_NOT_FOUND",
      `Cannot find MCP server ${quote(name)}: ${
        quote(file)
      } does not declare it`,
      near === undefined ? {} : { hint: `Did you mean ${quote(near)}?` },
    );
  }
  return editManifest(text, (document) => {
    const section = document["mcp"] as Document;
    delete section[name];
    if (Object.keys(section).length === 0) delete document["mcp"];
  }, { file });
}

function exists(names: readonly string[], file: string): AppError {
  const [what, them] = names.length === 1
    ? ["MCP server", "it"]
    : ["MCP servers", "them"];
  return new AppError(
    "ITEM_EXISTS",
    `Cannot add ${what} ${quote(names.join(", "))}: ${
      quote(file)
    } declares ${them} already`,
    { hint: "Take it out first: aenv rm mcp " + names[0] },
  );
}

/** The keys as a manifest is read: what is run or reached, then what it is given. */
function inOrder(table: ServerTable): Document {
  return Object.fromEntries(
    // A command that adds a server says nothing of its sandbox.
    SERVER_KEYS.filter((key) => key !== "sandbox").flatMap((key) =>
      table[key] === undefined ? [] : [[key, table[key]]]
    ),
  );
}
