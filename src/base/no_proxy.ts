/** `NO_PROXY` and its like: what is asked directly. */

/** Whether `list` (hosts, `.domain`, `host:port`, `*`, separated by commas or spaces) names the host. IPv6 is without brackets. */
export function isInNoProxy(
  target: { readonly host: string; readonly port: number },
  list: string,
): boolean {
  const host = target.host.toLowerCase();
  return noProxyEntries(list).some((entry) => {
    if (entry === "*") return true;
    const [, name = entry, only] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
    const domain = name.replace(/^\*?\./, "").replace(/^\[(.*)\]$/, "$1");
    const isPort = only === undefined || Number(only) === target.port;
    return isPort && (host === domain || host.endsWith("." + domain));
  });
}

/** The entries of such a list, in lower case. */
export function noProxyEntries(list: string): string[] {
  return list.toLowerCase().split(/[\s,]+/).filter((entry) => entry !== "");
}
