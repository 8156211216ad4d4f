/** Links that install an MCP server in an editor. */
import { AppError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { isRecord } from "../claude/user_config.ts";
import type { ForeignText } from "./types.ts";

/** Whose link it is. */
export type LinkKind = "cursor" | "vscode";

const CURSOR =
  /^(?:cursor:\/\/anysphere\.cursor-deeplink\/mcp\/install|https:\/\/(?:www\.)?cursor\.com\/(?:[a-z]{2}(?:-[A-Za-z]+)?\/)?(?:install-mcp|link\/mcp%2Finstall|link\/mcp\/install))\/?\?(.*)$/i;
const VSCODE = /^vscode(?:-insiders)?:(?:\/\/)?mcp\/install\?(.*)$/i;
const VSCODE_WEB =
  /^https:\/\/(?:insiders\.)?vscode\.dev\/redirect(\/mcp\/install)?\/?\?(.*)$/i;
/** Longest link, in characters. */
const MAX_LENGTH = 256 * 1024;

/** Whose link `text` is; undefined when it is none. */
export function linkKind(text: string): LinkKind | undefined {
  if (CURSOR.test(text)) return "cursor";
  return VSCODE.test(text) || VSCODE_WEB.test(text) ? "vscode" : undefined;
}

/** The declaration in a link. Throws `CONTENT_INVALID`, without the text of the link: it may hold credentials. */
export function readLink(link: string, kind: LinkKind): ForeignText {
  const text = link.trim();
  if (text.length > MAX_LENGTH) throw unusable(kind, "it is too long");
  const found = kind === "cursor"
    ? cursorLink(text)
    : vscodeLink(text) ?? vscodeWebLink(text);
  if (found === undefined) {
    throw unusable(kind, "it is not a link that installs an MCP server");
  }
  return { ...found, from: `the ${kind} link`, comments: false };
}

type Found = Pick<ForeignText, "text" | "name">;

function cursorLink(link: string): Found | undefined {
  const query = CURSOR.exec(link)?.[1];
  return query === undefined ? undefined : nameAndConfig(query, "cursor");
}

/** The query is the declaration itself. */
function vscodeLink(link: string): Found | undefined {
  const query = VSCODE.exec(link)?.[1];
  if (query === undefined) return undefined;
  return /^(name|config|inputs|quality)=/.test(query)
    ? nameAndConfig(query, "vscode")
    : { text: objectText(query, "vscode") };
}

/** A page that leads to the editor: with the link itself, or with its parts. */
function vscodeWebLink(link: string): Found | undefined {
  const [, isInstall, raw] = VSCODE_WEB.exec(link) ?? [];
  if (raw === undefined) return undefined;
  // A page reads its query as a form, where a plus is a space.
  const query = raw.replaceAll("+", "%20");
  if (isInstall) return nameAndConfig(query, "vscode");
  const inner = parameters(query, "vscode").get("url");
  if (inner === undefined) return undefined;
  return vscodeLink(inner) ?? vscodeLink(decode(inner, "vscode"));
}

function nameAndConfig(query: string, kind: LinkKind): Found {
  const found = parameters(query, kind);
  const config = found.get("config");
  if (config === undefined) throw unusable(kind, "it has no config");
  const text = objectText(config, kind);
  const name = found.get("name");
  const inputs = found.get("inputs");
  const whole = inputs === undefined
    ? text
    : withInputs(text, objectText(inputs, kind));
  return name === undefined ? { text: whole } : { text: whole, name };
}

/** The parts of a query; a plus stays one, since it is a character of base64. */
function parameters(query: string, kind: LinkKind): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of query.replace(/#.*$/, "").split("&")) {
    const cut = part.indexOf("=");
    if (cut < 0) continue;
    const name = part.slice(0, cut);
    if (found.has(name)) throw unusable(kind, `it has ${quote(name)} twice`);
    found.set(name, decode(part.slice(cut + 1), kind));
  }
  return found;
}

function decode(text: string, kind: LinkKind): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw unusable(kind, "its percent-encoding is broken");
  }
}

/** JSON text: as it is, percent-encoded once or twice, in base64, or in percent-encoded base64. */
function objectText(text: string, kind: LinkKind): string {
  const tried = new Set<string>();
  let form = text;
  for (let i = 0; i < 3; i++) {
    for (const candidate of [form, fromBase64(form)]) {
      if (candidate === undefined || tried.has(candidate)) continue;
      tried.add(candidate);
      if (isObjectText(candidate)) return candidate;
    }
    if (!form.includes("%")) break;
    form = decode(form, kind);
  }
  throw unusable(kind, "it does not hold a declaration in JSON");
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) || Array.isArray(value);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}

function fromBase64(text: string): string | undefined {
  const plain = text.trim().replaceAll(" ", "+").replaceAll("-", "+")
    .replaceAll("_", "/").replace(/=+$/, "");
  if (!/^[A-Za-z0-9+/]+$/.test(plain) || plain.length % 4 === 1) {
    return undefined;
  }
  const bytes = Uint8Array.from(atob(plain), (c) => c.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

function withInputs(text: string, inputs: string): string {
  return JSON.stringify({ ...JSON.parse(text), inputs: JSON.parse(inputs) });
}

function unusable(kind: LinkKind, state: string): AppError {
  return new AppError(
    "CONTENT_INVALID",
    `Cannot read the ${kind} link: ${state}`,
    { hint: "Put it in quotes, or the shell takes a part of it" },
  );
}
