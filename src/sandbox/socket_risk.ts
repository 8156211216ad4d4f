/** Unix sockets that give away more than they seem to. */

/** Last parts of paths, or a whole path with its variable, and what whoever reaches them can do. */
const RISKS: readonly (readonly [RegExp, string])[] = [
  [
    /(^|\/)(docker|podman|containerd|crio|buildkitd|lxd|incus|libvirt)[^/]*\.(sock|socket)$|(^|\/)libvirt[^/]*-sock$|\/lxd\/unix\.socket$/,
    "whoever reaches it controls this machine: it starts programs outside of the sandbox, with any file of it",
  ],
  [
    /(^|\/)(system_bus_socket|bus)$|\/systemd\/[^/]*$|^\/run\/dbus\//,
    "whoever reaches it starts programs outside of the sandbox",
  ],
  [
    /(^|\/)(X\d+|wayland-\d+|tmux-\d+\/.*|S\.[^/]*screen.*)$/,
    "whoever reaches it can type into your other windows",
  ],
  [
    /SSH_AUTH_SOCK$|(^|\/)ssh-[^/]*\/agent\.[^/]*$|(^|\/)S\.gpg-agent[^/]*$|(^|\/)gnupg\/|(^|\/)keyring\//,
    "whoever reaches it can log in and sign as you while it runs",
  ],
];

/** What a granted socket means beyond itself; undefined where nothing is known. Takes a path, or an entry of `unix_sockets`. */
export function socketRisk(path: string): string | undefined {
  return RISKS.find(([pattern]) => pattern.test(path))?.[1];
}
