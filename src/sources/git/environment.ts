/** The environment that git runs in: it reaches what the user's git reaches, and does nothing else that their settings say. Pure. */

/** A setting of git: name and value. */
export type GitSetting = readonly [name: string, value: string];

/** What of the user's own settings counts: how to log in, and how to get to a server. */
const USER_SETTINGS: readonly RegExp[] = [
  /^credential\.(?!.*askpass)/i,
  /^http\.(.*\.)?(proxy|proxyauthmethod|proxysslcainfo|proxysslcert|proxysslkey|sslcainfo|sslcapath|sslcert|sslkey|sslcertpasswordprotected|sslbackend|schannel[a-z]*|extraheader|emptyauth|delegation|cookiefile)$/i,
  /^url\..*\.insteadof$/i,
  /^core\.sshcommand$/i,
  /^ssh\.variant$/i,
  /^safe\.directory$/i,
];

/** Variables of git's that say how to get to a server. All others are dropped. */
const GIT_VARIABLES =
  /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_CAINFO|SSL_CAPATH|SSL_CERT|SSL_KEY|SSL_CERT_PASSWORD_PROTECTED|PROXY_SSL_.*|HTTP_PROXY_AUTHMETHOD)$/;

/** Come last, so they win. No program of the repository's or the user's runs, nothing is rewritten on the way to the disk. */
const OUR_SETTINGS: readonly GitSetting[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.attributesFile", "/dev/null"],
  ["core.autocrlf", "false"],
  ["core.symlinks", "true"],
  ["core.protectHFS", "true"],
  ["core.protectNTFS", "true"],
  ["core.askPass", "false"],
  ["credential.interactive", "false"],
  ["fetch.recurseSubmodules", "false"],
  // All of it in one pack, whose size can be watched.
  ["fetch.unpackLimit", "1"],
  ["submodule.recurse", "false"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["advice.detachedHead", "false"],
  ["protocol.version", "2"],
  ["http.followRedirects", "initial"],
  ["http.sslVerify", "true"],
  ["http.lowSpeedLimit", "1000"],
  ["http.lowSpeedTime", "30"],
];

/** The settings of the user's that count, from the output of `git config --list -z`. */
export function userSettings(listing: string): GitSetting[] {
  return listing.split("\0").flatMap((entry): GitSetting[] => {
    const newline = entry.indexOf("\n");
    // A name without a value means true.
    const name = newline < 0 ? entry : entry.slice(0, newline);
    const value = newline < 0 ? "true" : entry.slice(newline + 1);
    return USER_SETTINGS.some((known) => known.test(name))
      ? [[name, value]]
      : [];
  });
}

/** The environment to look up the user's settings in: all of the user's, asking nothing. */
export function lookupEnvironment(
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  return { ...withoutGit(env, /^GIT_CONFIG(_|$)/), LC_ALL: "C" };
}

/** The environment for everything else. `transports` are the only ones that git may use, also after its own rewriting of addresses. */
export function gitEnvironment(
  env: Readonly<Record<string, string>>,
  settings: readonly GitSetting[],
  options: { readonly transports: readonly string[] },
): Record<string, string> {
  const hasSsh = settings.some(([name]) => /^core\.sshcommand$/i.test(name)) ||
    env["GIT_SSH"] !== undefined || env["GIT_SSH_COMMAND"] !== undefined;
  return {
    ...withoutGit(env, GIT_VARIABLES),
    ...(hasSsh
      ? {}
      : { GIT_SSH_COMMAND: "ssh -o BatchMode=yes -o ConnectTimeout=20" }),
    // Whoever wants to ask a question gets no answer.
    GIT_TERMINAL_PROMPT: "0",
    GCM_INTERACTIVE: "never",
    SSH_ASKPASS: "false",
    SSH_ASKPASS_REQUIRE: "force",
    GIT_ALLOW_PROTOCOL: options.transports.join(":"),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_LFS_SKIP_SMUDGE: "1",
    GIT_NO_LAZY_FETCH: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_OPTIONAL_LOCKS: "0",
    // Messages are told apart by their English words.
    LC_ALL: "C",
    LANGUAGE: "C",
    ...settingVariables([...settings, ...OUR_SETTINGS]),
  };
}

/** Settings as variables: on a command line everybody could read them, and a header may be a login. */
function settingVariables(
  settings: readonly GitSetting[],
): Record<string, string> {
  const variables: Record<string, string> = {
    GIT_CONFIG_COUNT: String(settings.length),
  };
  for (const [i, [name, value]] of settings.entries()) {
    variables[`GIT_CONFIG_KEY_${i}`] = name;
    variables[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  return variables;
}

function withoutGit(
  env: Readonly<Record<string, string>>,
  kept: RegExp,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) =>
      !name.startsWith("GIT_") || kept.test(name)
    ),
  );
}
