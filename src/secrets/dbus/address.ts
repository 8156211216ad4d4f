/** Where the session bus listens. */
import { isAbsolutePath } from "../../base/paths.ts";
import type { Host } from "../../os/host.ts";

/** Sockets to try in order: `$DBUS_SESSION_BUS_ADDRESS`, else the one that systemd makes. An abstract name starts with a NUL. */
export function sessionBusSockets(host: Pick<Host, "env" | "uid">): string[] {
  const address = host.env["DBUS_SESSION_BUS_ADDRESS"];
  if (address) return parseAddress(address);
  const runtime = host.env["XDG_RUNTIME_DIR"] || `/run/user/${host.uid ?? 0}`;
  return isAbsolutePath(runtime) ? [`${runtime}/bus`] : [];
}

/** The Unix sockets of an address; other transports are left out. */
export function parseAddress(address: string): string[] {
  return address.split(";").flatMap((entry) => {
    const [transport, rest = ""] = splitOnce(entry, ":");
    if (transport !== "unix") return [];
    const pairs = rest.split(",").map((pair) => splitOnce(pair, "="));
    const words = new Map(
      pairs.map(([key, value]) => [key, unescape(value ?? "")]),
    );
    const path = words.get("path");
    const abstract = words.get("abstract");
    if (path && isAbsolutePath(path)) return [path];
    return abstract ? [`\0${abstract}`] : [];
  });
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** Undoes `%2f`; what is no such escape stays. */
function unescape(text: string): string {
  const bytes = text.replace(
    /%([0-9A-Fa-f]{2})/g,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 16)),
  );
  // Escapes stand for bytes of UTF-8, and unescaped text is ASCII.
  return new TextDecoder().decode(
    Uint8Array.from(bytes, (character) => character.charCodeAt(0)),
  );
}
