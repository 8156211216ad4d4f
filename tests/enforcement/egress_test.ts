/** What leaves a sandbox whose network is a list of hosts: from the manifest over the kernel's rules to the proxy, asked by real clients inside. */
import assert from "node:assert/strict";
import { ProxyWorld } from "../support/proxy_world.ts";
import { launchClaim, type LaunchParts, LaunchWorld } from "./launch_world.ts";
import { Servers } from "./servers.ts";

const HTTP =
  "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n";

/** Two servers, of which one is allowed under a name, and a proxy that knows the names. Use with `await using`. */
class Egress implements AsyncDisposable {
  readonly #servers = new Servers();
  /** What is allowed. */
  readonly good: number;
  /** What is not. */
  readonly evil: number;
  readonly proxy: ProxyWorld;
  readonly parts: LaunchParts;

  constructor(
    world: LaunchWorld,
    { allow = ["good.test"], onEvilPort = [], names = {} }: {
      allow?: readonly string[];
      /** Names that are allowed on the port of the server that is not. */
      onEvilPort?: readonly string[];
      names?: Record<string, readonly (readonly string[])[]>;
    } = {},
  ) {
    this.good = this.#servers.tcp("127.0.0.1", `${HTTP}good`);
    this.evil = this.#servers.tcp("127.0.0.1", `${HTTP}evil`);
    const entries = [
      ...allow.map((name) => `${name}:${this.good}`),
      ...onEvilPort.map((name) => `${name}:${this.evil}`),
    ];
    const local = ["[::ffff:127.0.0.1]", "127.0.0.1", "evil.test"];
    world.manifest(
      `network = { mode = "hosts", allow = ${JSON.stringify(entries)} }`,
    );
    // The addresses are this machine's, so the proxy is told that it may go there under the name; the manifest is not.
    const reach = allow.length > 0 ? [`localhost:${this.good}`] : [];
    this.proxy = new ProxyWorld([...entries, ...reach], {
      names: {
        "good.test": [["127.0.0.1"]],
        ...Object.fromEntries(local.map((name) => [name, [["127.0.0.1"]]])),
        ...names,
      },
    });
    this.parts = {
      proxyPort: this.proxy.port,
      sets: this.proxy.proxy.environment(),
    };
  }

  /** What the proxy said, in order: `allowed good.test`. */
  get decisions(): string[] {
    return this.proxy.events.map(({ decision, host }) => `${decision} ${host}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    this.#servers[Symbol.dispose]();
  }
}

const CURL = "curl -sS -f -m 30";

/** A client that speaks to the proxy byte by byte: prints what each of its texts is answered with. */
const CLIENT = `
import os, socket, sys, base64, json
from urllib.parse import urlsplit
proxy = urlsplit(os.environ["HTTP_PROXY"])
auth = base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
AUTH = f"Proxy-Authorization: Basic {auth}\\r\\n"
def connect():
    s = socket.create_connection((proxy.hostname, proxy.port), 30); s.settimeout(30)
    return s
def answer(text, more=None):
    s = connect(); s.sendall(text)
    got = s.recv(4096)
    if more is not None and got:
        s.sendall(more); got = s.recv(4096)
    s.close(); return got.split(b"\\r\\n")[0].decode("latin1")
def tunnel(host, headers=AUTH):
    return answer(b"CONNECT " + host + b" HTTP/1.1\\r\\nHost: " + host + b"\\r\\n"
        + headers.encode() + b"\\r\\n")
def socks(host, port):
    s = connect(); s.sendall(b"\\x05\\x01\\x02"); s.recv(2)
    u, p = proxy.username.encode(), proxy.password.encode()
    s.sendall(b"\\x01" + bytes([len(u)]) + u + bytes([len(p)]) + p); s.recv(2)
    s.sendall(b"\\x05\\x01\\x00\\x03" + bytes([len(host)]) + host + port.to_bytes(2, "big"))
    got = s.recv(16); s.close()
    return got[1] if len(got) > 1 else -1
`;

/** Runs lines of Python after {@link CLIENT}. */
async function ask(
  world: LaunchWorld,
  egress: Egress,
  lines: string,
): Promise<string> {
  const name = `home/work/project/client.py`;
  const path = world.file(name, `${CLIENT}\n${lines}\n`);
  world.own();
  return await world.shell(`python3 ${path}`, egress.parts);
}

launchClaim(
  "an allowed host is reached through the proxy, and nothing past it",
  async (world) => {
    // Guards against claude-code #77045 and #88553 (a list that nothing enforces) and #29596 (an entry that does not work).
    await using egress = new Egress(world);
    const { good, evil, parts } = egress;
    const found = await world.shell(
      `${CURL} http://good.test:${good}/`,
      parts,
    );
    assert.equal(found, "good");
    await world.refuses({
      "curl past the proxy": `${CURL} --noproxy '*' http://127.0.0.1:${good}/`,
      "without variables":
        `env -u HTTP_PROXY -u http_proxy -u ALL_PROXY -u all_proxy ` +
        `${CURL} http://127.0.0.1:${evil}/`,
      "a shell": `exec 3<>/dev/tcp/127.0.0.1/${evil}`,
      python: `python3 -c 'import socket
socket.create_connection(("127.0.0.1", ${evil}))'`,
      node: `node -e 'require("net").connect(${evil}, "127.0.0.1")
        .on("error", () => process.exit(1)).on("connect", () => process.exit())'`,
      datagrams: `$attack send-udp 127.0.0.1 ${evil} | grep done`,
    }, { ...parts, variables: {} });
    assert.deepEqual(egress.decisions, ["allowed good.test"]);
  },
);

launchClaim("an empty list of hosts allows nothing", async (world) => {
  // Guards against CVE-2025-66479: no allowed domain was taken for no restriction.
  await using egress = new Egress(world, { allow: [] });
  const { good, parts } = egress;
  const attempts =
    `for u in http://good.test:${good} http://127.0.0.1:${good} \\
      https://good.test:${good}; do
    ${CURL} $u >/dev/null 2>&1 && echo "done $u"
    ${CURL} --noproxy '*' $u >/dev/null 2>&1 && echo "done directly $u"
  done; $attack connect-tcp 127.0.0.1 ${good}`;
  assert.equal(await world.shell(attempts, parts), "EACCES");
  assert.ok(egress.decisions.length >= 3);
  assert.ok(egress.decisions.every((line) => line.startsWith("refused")));
  const free = await world.shellFreely(`${CURL} http://127.0.0.1:${good}`);
  assert.equal(free, "good");
});

/** Hosts that could be read as another one. */
const ODD_HOSTS = [
  ...["evil.test\\0.good.test", "good.test\\0evil.test", "good.test\\0"],
  ...["evil.test%00.good.test", "good.test@evil.test", "evil.test#good.test"],
  ...["evil.test?good.test", "evil.test/good.test", "evil.test\\\\good.test"],
  ...["evil.test\\r\\nHost: good.test", "evil.test good.test", "good.test:"],
  ...["xgood.test", "good.test.evil.test", ".good.test", "good.test.."],
  ...["GOOD\\u2024TEST", "\\u0000", "", "good.test\\u0130"],
];

launchClaim(
  "a host that can be read in two ways is refused",
  async (world) => {
    // Guards against the NUL byte in a SOCKS host, which ended the name for one reader and not for the other, and its kin.
    await using egress = new Egress(world);
    const { good } = egress;
    const list = ODD_HOSTS.map((host) => `"${host}"`).join(",");
    const found = await ask(
      world,
      egress,
      `print(socks(b"good.test", ${good}), tunnel(b"good.test:${good}")[9:12])
for host in [${list}]:
    h = host.encode()
    c, s = tunnel(h + b":${good}")[9:12], socks(h, ${good})
    if c == "200" or s == 0: print("open", repr(host), c, s)
print("end")`,
    );
    assert.equal(found, "0 200\nend");
    assert.deepEqual([...new Set(egress.proxy.lookUps)], ["good.test"]);
  },
);

launchClaim(
  "a name that leads to a private address leads nowhere",
  async (world) => {
    // Guards against names that answer with metadata services, private networks and this machine, in every spelling.
    const addresses = [
      ...["169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.1.1"],
      ...["100.64.0.1", "0.0.0.0", "127.0.0.1", "::1", "::ffff:127.0.0.1"],
      ...["fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"],
    ];
    const names = Object.fromEntries(
      addresses.map((address, i) => [`n${i}.private.test`, [[address]]]),
    );
    await using egress = new Egress(world, {
      onEvilPort: ["*.private.test"],
      names,
    });
    const { good, evil } = egress;
    const spelled = [
      ...["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1"],
      ...["[::ffff:127.0.0.1]", "[::1]", "[0:0:0:0:0:ffff:7f00:1]", "0"],
      ...["localhost", "localhost.", "169.254.169.254", "[fe80::1%25lo]"],
    ];
    const found = await ask(
      world,
      egress,
      `print(tunnel(b"good.test:${good}")[9:12])
for host in ${JSON.stringify([...Object.keys(names), ...spelled])}:
    if tunnel(f"{host}:${evil}".encode())[9:12] == "200": print("open", host)
print("end")`,
    );
    assert.equal(found, "200\nend");
    const asked = egress.proxy.lookUps.filter((name) => name in names);
    assert.equal(asked.length, addresses.length);
  },
);

launchClaim(
  "a name that changes its address is asked about again",
  async (world) => {
    // Guards against DNS rebinding: allowed while it is looked at, private when it is connected to.
    await using egress = new Egress(world, {
      allow: ["good.test", "change.test"],
      names: {
        "change.test": [["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1", "10.0.0.1"]],
      },
    });
    const { good } = egress;
    const line = `print(tunnel(b"change.test:${good}")[9:12])`;
    const found = await ask(world, egress, [line, line, line].join("\n"));
    assert.match(found, /^200\n(403|502)\n(403|502)$/);
  },
);

launchClaim(
  "a request cannot ride on one that was allowed",
  async (world) => {
    // Guards against claude-code #87381: a CONNECT that was relayed past the list; a second host on an open connection.
    await using egress = new Egress(world);
    const { good, evil } = egress;
    const port = egress.proxy.port;
    const found = await ask(
      world,
      egress,
      `A = AUTH.encode()
G, E = b"good.test:${good}", b"evil.test:${evil}"
get = lambda url, host: (b"GET http://" + url + b"/ HTTP/1.1\\r\\nHost: " + host
    + b"\\r\\n" + A + b"\\r\\n")
print("host", answer(b"CONNECT " + E + b" HTTP/1.1\\r\\nHost: " + G + b"\\r\\n" + A + b"\\r\\n"))
print("get", answer(get(E, G)))
print("second", answer(get(E, E), get(E, G)))
print("itself", tunnel(b"127.0.0.1:${port}"))
print("name of itself", tunnel(b"localhost:${port}"))
print("user", answer(get(b"good.test@" + E, G)))
print("path", answer(b"GET / HTTP/1.1\\r\\nHost: " + E + b"\\r\\n" + A + b"\\r\\n"))
print("lines", answer(b"CONNECT " + G + b"\\r\\nCONNECT " + E + b" HTTP/1.1\\r\\n" + A + b"\\r\\n"))
print("spaces", answer(b"CONNECT " + E + b" " + G + b" HTTP/1.1\\r\\n" + A + b"\\r\\n"))
print("two hosts", answer(b"GET http://" + G + b"/ HTTP/1.1\\r\\nHost: " + G + b"\\r\\nHost: " + E + b"\\r\\n" + A + b"\\r\\n"))
print("good", answer(get(G, E)))`,
    );
    const lines = found.split("\n");
    const last = lines.pop()!;
    for (const line of lines) assert.doesNotMatch(line, / 200/, line);
    // The Host header of an allowed request is written anew.
    assert.match(last, /^good .* (200|400)/);
    assert.ok(
      egress.proxy.events.every(({ decision, host }) =>
        decision === "refused" || host === "good.test"
      ),
    );
  },
);

launchClaim("only this launch can use its proxy", async (world) => {
  // Guards against other programs of the machine, and other sandboxes, that find the port.
  await using egress = new Egress(world);
  const { good } = egress;
  const found = await ask(
    world,
    egress,
    `for h in ["", "Proxy-Authorization: Basic eDp5\\r\\n", AUTH.replace("Basic ", "Basic x")]:
    print(tunnel(b"good.test:${good}", h)[9:12])
s = connect(); s.sendall(b"\\x05\\x01\\x00"); print(s.recv(2)[1:2].hex())
print(tunnel(b"good.test:${good}")[9:12])`,
  );
  assert.equal(found, "407\n407\n407\nff\n200");
});

launchClaim(
  "ports of this machine that are granted are reached, others are not",
  async (world) => {
    // Guards against nono #1053, #1444 and #1786: build tools and databases on loopback failed, so people switched it off.
    await using egress = new Egress(world);
    const { good, evil, parts } = egress;
    const entries = JSON.stringify([`localhost:${good}`]);
    world.manifest(`network = { mode = "hosts", allow = ${entries} }`);
    const found = await world.shell(
      `${CURL} --noproxy '*' http://127.0.0.1:${good}/
      $attack connect-tcp 127.0.0.1 ${evil}
      python3 -c '
import socket, threading
s = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=lambda: s.accept()[0].send(b"own server")).start()
print(socket.create_connection(s.getsockname()).recv(99).decode())'`,
      parts,
    );
    assert.equal(found, "good\nEACCES\nown server");
  },
);

launchClaim(
  "with no network nothing is reached, by name or number",
  async (world) => {
    // Guards against a mode that is shown and not enforced, and against DNS as a way to carry data out.
    using servers = new Servers();
    const port = servers.tcp("127.0.0.1", `${HTTP}page`);
    world.manifest('network = "none"');
    for (const supervised of [true, false]) {
      await world.refuses({
        curl: `${CURL} http://127.0.0.1:${port}/`,
        shell: `exec 3<>/dev/tcp/127.0.0.1/${port}`,
        datagram: `$attack send-udp 127.0.0.1 ${port} | grep done`,
        raw: world.user === "root"
          ? "$attack socket 2 3 1 | grep done"
          : "$attack socket 2 2 17 | grep done",
        netlink: "$attack socket 16 3 0 | grep done",
        server: "$attack serve-tcp 127.0.0.1 0 | grep done",
      }, { supervised });
    }
    const pair = await world.shell(
      'node -e \'console.log(require("child_process").execSync("echo child")+"")\'',
    );
    assert.equal(pair, "child");
  },
);

launchClaim("certificates of the system can be checked", async (world) => {
  // Guards against claude-code #23416 and #36363: programs that could not check certificates made people switch it off.
  const found = await world.shell(
    `f=/etc/ssl/certs/ca-certificates.crt; test -s $f && head -c 27 $f
    ls /etc/ssl/certs | head -1 | wc -l; python3 -c '
import ssl; print(ssl.create_default_context().cert_store_stats()["x509_ca"] > 0)'
    node -e 'console.log(require("tls").rootCertificates.length > 0)'`,
  );
  assert.equal(
    found,
    "-----BEGIN CERTIFICATE-----\n1\nTrue\ntrue".replace(
      "-----\n1",
      "-----1",
    ),
  );
});
