/** Claims about the network and about services of the system. */
import type { Case } from "./cases.ts";
import type { MacWorld } from "./world.ts";

/** A network of listed hosts, of which one port on this machine is granted. */
const hosts = (world: MacWorld) => ({
  wishes: {
    network: {
      mode: "hosts",
      allow: ["example.com", `localhost:${world.granted}`],
    },
  },
} as const);

/** Services that act for whoever asks, outside of the sandbox. */
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  "the pasteboard": ["com.apple.pasteboard.1"],
  "programs that are started for others": [
    "com.apple.coreservices.launchservicesd",
    "com.apple.coreservices.appleevents",
  ],
  "the keychain": ["com.apple.SecurityServer", "com.apple.securityd.xpc"],
  "permissions that the user gave": ["com.apple.tccd"],
};

/** See `CASES`. */
export const NETWORK_CASES: readonly Case[] = [
  {
    name: "without a network nothing is connected to, sent or listened for",
    guards: "data that leaves; a shell that waits for somebody",
    options: () => ({ wishes: { network: { mode: "none" } } }),
    refused: (w) => [
      ["connect-tcp", "127.0.0.1", `${w.other}`],
      ["connect-tcp", "127.0.0.1", `${w.proxy}`],
      ["send-udp", "127.0.0.1", "9"],
      ["listen-tcp", "127.0.0.1", "0"],
      ["connect-unix", w.agentSocket],
      ["listen-unix", w.at("project/own.sock")],
    ],
  },
  {
    name: "with listed hosts only the proxy and granted ports are connected to",
    guards: "a way past the proxy: another port, another protocol",
    options: hosts,
    allowed: (w) => [
      ["connect-tcp", "127.0.0.1", `${w.proxy}`],
      ["connect-tcp", "127.0.0.1", `${w.granted}`],
      ["listen-tcp", "127.0.0.1", "0"],
    ],
    refused: (w) => [
      ["connect-tcp", "127.0.0.1", `${w.other}`],
      ["send-udp", "127.0.0.1", "53"],
      ["connect-unix", w.agentSocket],
    ],
  },
  {
    name: "with listed hosts names are looked up by the proxy alone",
    guards: "data in the names that are looked up",
    isMacOnly: true,
    options: hosts,
    refused: () => [["connect-unix", "/private/var/run/mDNSResponder"]],
  },
  {
    name: "an open network is open, and sockets of other programs are not",
    guards: "the agent of ssh, the daemon of docker: they act outside",
    allowed: (w) => [
      ["connect-tcp", "127.0.0.1", `${w.other}`],
      ["send-udp", "127.0.0.1", "9"],
      ["listen-tcp", "127.0.0.1", "0"],
      ["listen-unix", w.at("project/own.sock")],
    ],
    refused: (w) => [
      ["connect-unix", w.agentSocket],
      ["listen-unix", w.at("home/new.sock")],
    ],
  },
  {
    name: "a socket in the project is not a name for one outside",
    guards: "a link to the socket of ssh's agent",
    setup: `ln -s "$HOME/agent.sock" agent.sock`,
    refused: (w) => [["connect-unix", w.at("project/agent.sock")]],
  },
  ...Object.entries(SERVICES).map(([what, names]): Case => ({
    name: `no service is asked for: ${what}`,
    guards: "a service of the system that does outside what is refused inside",
    isMacOnly: true,
    refused: () => names.map((name) => ["lookup", name]),
  })),
  {
    name: "the keychain's service is there for an agent whose login is in it",
    guards: "a login that cannot be read",
    isMacOnly: true,
    options: (w) => ({
      input: {
        agent: { name: "claude", program: w.attempt, keychain: true },
      },
    }),
    allowed: () => [["lookup", "com.apple.SecurityServer"]],
  },
];
