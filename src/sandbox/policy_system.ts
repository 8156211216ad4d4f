/** What every confined process gets of the system: programs, libraries, devices, named dotfiles. */
import { type AbsPath, join } from "../base/paths.ts";
import { isIn } from "./path_text.ts";
import type { PolicyInput, Wish } from "./policy_input.ts";
import { CERTIFICATE_VARIABLES } from "./policy_system_names.ts";
import type { Access, ReasonSource } from "./types.ts";

type Table = Readonly<Partial<Record<Access, readonly string[]>>>;

/** Programs and settings of the system, by system. What is missing on a machine is left out. */
const SYSTEM: Readonly<Record<PolicyInput["os"], Table>> = {
  linux: {
    exec: [
      "/bin",
      "/sbin",
      "/lib",
      "/lib32",
      "/lib64",
      "/libx32",
      "/usr",
      "/opt",
      "/snap",
      "/nix/store",
      "/gnu/store",
      "/run/current-system/sw",
      "/run/opengl-driver",
      "/home/linuxbrew/.linuxbrew",
    ],
    read: [
      "/proc",
      "/sys",
      // Settings in /etc that lead elsewhere.
      "/etc/resolv.conf",
      "/etc/localtime",
      "/etc/ssl/certs/ca-certificates.crt",
      "/etc/pki/tls/certs/ca-bundle.crt",
      "/run/systemd/resolve",
      "/var/lib/ca-certificates",
    ],
  },
  darwin: {
    exec: [
      "/bin",
      "/sbin",
      "/usr",
      "/System",
      "/Library/Apple",
      "/Library/Developer",
      "/Library/Frameworks",
      "/Library/Java",
      "/Library/Perl",
      "/Library/Python",
      "/Library/Ruby",
      "/Applications",
      "/opt",
      "/nix/store",
    ],
    read: [
      "/private/etc",
      "/private/var/db",
      "/private/var/select",
      "/private/var/run/resolv.conf",
      "/Library/Application Support/ClaudeCode",
      "/Library/Fonts",
      "/Library/Preferences",
    ],
  },
};

/**
 * Devices. Not /dev/pts: who may open other terminals can read what is typed there. With /dev/ptmx new ones are made, whose
 * other side a mediator opens; without one nobody inside can.
 */
const DEVICES: Readonly<Record<PolicyInput["os"], Table>> = {
  linux: {
    device: [
      "/dev/null",
      "/dev/zero",
      "/dev/full",
      "/dev/random",
      "/dev/urandom",
      "/dev/tty",
      "/dev/ptmx",
    ],
    create: ["/dev/shm"],
  },
  darwin: {
    device: [
      "/dev/null",
      "/dev/zero",
      "/dev/random",
      "/dev/urandom",
      "/dev/tty",
      "/dev/dtracehelper",
    ],
    read: ["/dev/autofs_nowait"],
  },
};

/** Files of /etc that only root can read: as root they are not granted, and neither is /etc as a whole. */
export const PRIVATE_ETC: readonly string[] = [
  "shadow",
  "shadow-",
  "gshadow",
  "gshadow-",
  "sudoers",
  "sudoers.d",
  "krb5.keytab",
  "ssh",
  "ssl/private",
  "letsencrypt",
  "kubernetes",
  "docker",
  "wireguard",
  "NetworkManager",
  "master.passwd",
];

/** Settings of tools below HOME. Each is granted only while it holds no credential. Shell start files often do, and are not here. */
const DOTFILES: readonly string[] = [
  ".gitconfig",
  ".gitignore",
  ".gitignore_global",
  ".config/git/config",
  ".config/git/ignore",
  ".config/git/attributes",
  ".npmrc",
  ".yarnrc",
  ".yarnrc.yml",
  ".bunfig.toml",
  ".config/pip/pip.conf",
  ".config/uv/uv.toml",
  ".condarc",
  ".gemrc",
  ".curlrc",
  ".wgetrc",
  ".inputrc",
  ".editorconfig",
  ".ripgreprc",
  ".cargo/config.toml",
  ".terminfo",
];

const GIT_CONFIGURATIONS: ReadonlySet<string> = new Set([
  ".gitconfig",
  ".config/git/config",
]);

/** Whether a directory is granted with its programs anyway. */
export function isSystemPath(path: AbsPath, os: PolicyInput["os"]): boolean {
  return (SYSTEM[os].exec ?? []).some((dir) => isIn(path, dir));
}

/** The wishes that do not depend on the env. `etc` are the names in /etc, needed as root only. */
export function systemWishes(
  input: PolicyInput,
  { terminal, etc }: {
    /** The terminal that the launch came from. */
    readonly terminal: AbsPath | undefined;
    readonly etc: readonly string[];
  },
): Wish[] {
  const { os, home, environment, variables } = input;
  const passing = new Set(
    environment.filter(({ passes }) => passes).map(({ name }) => name),
  );
  const certificates = CERTIFICATE_VARIABLES.filter((name) =>
    passing.has(name) && variables[name]?.startsWith("/")
  ).map((name) =>
    wish(variables[name]!, "read", {
      source: "system",
      text: `certificates that ${name} names`,
    })
  );
  return [
    ...tableWishes(SYSTEM[os], "system", "system directory"),
    ...(os === "linux" ? etcWishes(input.uid, etc) : []),
    ...tableWishes(DEVICES[os], "device", "device"),
    ...(terminal === undefined ? [] : [
      wish(terminal, "device", {
        source: "device",
        text: "the terminal it runs on",
      }),
    ]),
    ...certificates,
    ...(home === undefined ? [] : DOTFILES.map((name) => ({
      ...wish(join(home, name), "read", {
        source: "dotfile",
        text: `settings of tools: ~/${name}`,
      }),
      unlessSecret: true,
      ofGit: GIT_CONFIGURATIONS.has(name),
    }))),
  ];
}

function tableWishes(
  table: Table,
  source: ReasonSource,
  text: string,
): Wish[] {
  return Object.entries(table).flatMap(([access, paths]) =>
    paths.map((path) => wish(path, access as Access, { source, text }))
  );
}

/** As root everything in /etc can be read, so it is granted entry by entry, without the private ones. */
function etcWishes(uid: number, names: readonly string[]): Wish[] {
  const why = { source: "system", text: "settings of the system" } as const;
  if (uid !== 0) return [wish("/etc", "read", why)];
  const hidden = new Set(PRIVATE_ETC.map((name) => name.split("/")[0]!));
  return names.filter((name) => !hidden.has(name) || name === "ssl")
    .flatMap((name) =>
      name === "ssl"
        ? ["certs", "openssl.cnf"].map((part) => `/etc/ssl/${part}`)
        : [`/etc/${name}`]
    ).map((path) => wish(path, "read", why));
}

function wish(path: string, access: Access, why: Wish["why"]): Wish {
  return { path: path as AbsPath, access, why, need: "may" };
}
