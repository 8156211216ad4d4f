/** The variables that make programs use the proxy. None of them touches certificates: the proxy passes encryption through. */
import type { Credential } from "./credential.ts";

/** Where the proxy is, and what need not go through it. */
export interface ProxyPlace {
  readonly port: number;
  readonly credential: Credential;
  /** Ports of this machine that may be connected to directly. */
  readonly loopbackPorts: readonly number[];
}

/**
 * All of them, over what the environment says so far (git's settings by variables are added to, not replaced). The values hold
 * the credential, which is good for this launch and this proxy only.
 */
export function proxyVariables(
  place: ProxyPlace,
  env: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const { user, password } = place.credential;
  const http = `http://${user}:${password}@127.0.0.1:${place.port}`;
  const exempt = place.loopbackPorts.flatMap((port) => [
    `localhost:${port}`,
    `127.0.0.1:${port}`,
  ]).join(",");
  return {
    ...inBothCases({
      HTTP_PROXY: http,
      HTTPS_PROXY: http,
      // Not the SOCKS side of the same port: Python's httpx, and every client library built on it, does not even start with
      // a SOCKS address here when a package of its own is missing.
      ALL_PROXY: http,
      NO_PROXY: exempt,
    }),
    // WebSocket libraries that look for variables of their own.
    ...inBothCases({ WS_PROXY: http, WSS_PROXY: http }),
    // Node's own fetch and http look at the variables above only when told to.
    NODE_USE_ENV_PROXY: "1",
    // Settings of the user's own files would come before the variables above.
    npm_config_proxy: http,
    npm_config_https_proxy: http,
    npm_config_noproxy: exempt,
    YARN_HTTP_PROXY: http,
    YARN_HTTPS_PROXY: http,
    PIP_PROXY: http,
    CARGO_HTTP_PROXY: http,
    // cargo's built-in git knows neither the variables nor the settings of git.
    CARGO_NET_GIT_FETCH_WITH_CLI: "true",
    GIT_HTTP_PROXY_AUTHMETHOD: "basic",
    ...gitSettings(env, { "http.proxy": http }),
    GIT_SSH_COMMAND: sshCommand(env["GIT_SSH_COMMAND"] ?? "ssh"),
    // For the command above: what stands in the environment is not seen by other users, unlike arguments.
    AENV_PROXY_PORT: String(place.port),
    AENV_PROXY_AUTHORIZATION: `Basic ${btoa(`${user}:${password}`)}`,
  };
}

function inBothCases(
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  const lower = Object.entries(variables).map(([name, value]) => [
    name.toLowerCase(),
    value,
  ]);
  return { ...variables, ...Object.fromEntries(lower) };
}

/** Settings of git after those that are there already. */
function gitSettings(
  env: Readonly<Record<string, string>>,
  settings: Readonly<Record<string, string>>,
): Record<string, string> {
  const count = env["GIT_CONFIG_COUNT"] ?? "";
  let index = /^[0-9]{1,3}$/.test(count) ? Number(count) : 0;
  const variables: Record<string, string> = {};
  for (const [key, value] of Object.entries(settings)) {
    variables[`GIT_CONFIG_KEY_${index}`] = key;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
    index++;
  }
  return { ...variables, GIT_CONFIG_COUNT: String(index) };
}

/** Asks the proxy for a connection, in bash: the only program with TCP that is surely there. `read` takes no byte too many. */
const TUNNEL = [
  "exec 3<>/dev/tcp/127.0.0.1/$AENV_PROXY_PORT || exit 1",
  'printf "CONNECT %s:%s HTTP/1.1\\r\\nProxy-Authorization: %s\\r\\n\\r\\n" "$0" "$1" "$AENV_PROXY_AUTHORIZATION" >&3',
  "IFS= read -r s <&3",
  'case $s in *" 200 "*) ;; *) echo "${s#* }" >&2; exit 1;; esac',
  "while IFS= read -r l <&3 && [ \"$l\" != $'\\r' ]; do :; done",
  // Each direction in a process that holds nothing of the other one, so that both ends hear of an end.
  "exec 4<&0; cat <&4 >&3 & exec cat <&3 4<&-",
].join("; ");

/** ssh that goes through the proxy; the rest of the user's own command is kept. */
function sshCommand(own: string): string {
  const tunnel = TUNNEL.replaceAll("%", "%%");
  const proxy = `ProxyCommand=bash -c ${quoted(tunnel)} %h %p`;
  return `${own} -o ${quoted(proxy)}`;
}

/** `text` as one word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
