/**
 * Run in a network of its own, where it is root: lays a cable to a second network, starts a confined server for all addresses,
 * and lets a neighbour and a program of this machine connect to it. Prints what each of them met.
 */
import { Servers } from "./servers.ts";
import { World } from "./world.ts";

const [NEAR, FAR] = ["10.231.77.1", "10.231.77.2"];

function ip(...args: string[]): void {
  const { success, stderr } = new Deno.Command("ip", { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** A network that lives as long as this process. */
async function neighbour(): Promise<Deno.ChildProcess> {
  const child = new Deno.Command("unshare", {
    args: ["--net", "sh", "-c", "echo ready; exec sleep 1000"],
    stdout: "piped",
  }).spawn();
  await child.stdout.getReader().read();
  return child;
}

async function inNetwork(pid: number, ...words: string[]): Promise<string> {
  const args = [`--target=${pid}`, "--net", "--", ...words];
  const { stdout } = await new Deno.Command("nsenter", { args }).output();
  return new TextDecoder().decode(stdout).trim();
}

ip("link", "set", "lo", "up");
const other = await neighbour();
ip(
  "link",
  "add",
  "near",
  "type",
  "veth",
  "peer",
  "name",
  "far",
  "netns",
  `${other.pid}`,
);
ip("addr", "add", `${NEAR}/30`, "dev", "near");
ip("link", "set", "near", "up");
await inNetwork(other.pid, "ip", "addr", "add", `${FAR}/30`, "dev", "far");
await inNetwork(other.pid, "ip", "link", "set", "far", "up");
const world = await World.make("root");
const told = `${world.project}/port`;
const network = {
  mode: "hosts",
  allow: [],
  ports: [],
  proxy: { port: 9 },
} as const;
const parts = { network, supervised: true };
const script = `./attack serve-tcp 0.0.0.0 0 ${told} &
  while ! [ -e stop ]; do sleep 0.02; done; kill $!`;
const server = world.run("/usr/bin/bash", ["-c", script], parts);
let port = "";
while (port === "") {
  await new Promise((done) => setTimeout(done, 20));
  try {
    port = Deno.readTextFileSync(told).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
using servers = new Servers();
const free = servers.tcp("0.0.0.0", "a free server");
const words = ["timeout", "3", world.attacker, "connect-tcp", NEAR!];
const found = {
  here: await world.attackFreely(["connect-tcp", "127.0.0.1", port]),
  neighbour: await inNetwork(other.pid, ...words, port),
  neighbourFreely: await inNetwork(other.pid, ...words, `${free}`),
};
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(found)));
other.kill("SIGKILL");
Deno.writeTextFileSync(`${world.project}/stop`, "");
await server;
world[Symbol.dispose]();
Deno.exit(0);
