import assert from "node:assert/strict";
import type { AbsPath } from "../base/paths.ts";
import { policyWith } from "../../tests/support/sandbox_policies.ts";
import { checkProfile, Profile } from "../../tests/support/sbpl.ts";
import { SANDBOX_EXEC, seatbeltCommand, seatbeltProfile } from "./seatbelt.ts";
import { baseRules } from "./seatbelt_base.ts";
import type { PathGrant, ProtectedPath, SandboxPolicy } from "./types.ts";

const WHY = { source: "system", text: "a test" } as const;

function grant(
  path: string,
  access: PathGrant["access"],
  kind: PathGrant["kind"] = "directory",
): PathGrant {
  return { path: path as AbsPath, access, kind, why: WHY };
}

function held(
  path: string,
  state: ProtectedPath["state"],
  tree: boolean,
): ProtectedPath {
  return { path: path as AbsPath, state, tree, why: WHY };
}

/** The profile without what every profile begins with, checked for its syntax. */
function lines(parts: Partial<SandboxPolicy>) {
  const profile = seatbeltProfile(policyWith({ os: "darwin", ...parts }));
  checkProfile(profile.text, profile.parameters);
  const base = baseRules().join("\n") + "\n";
  assert.ok(profile.text.startsWith(base));
  const text = profile.text.slice(base.length).trimEnd().split("\n");
  // After every grant of a terminal.
  assert.equal(text.pop(), "(deny file-ioctl (ioctl-command TIOCSTI))");
  return {
    text,
    parameters: Object.values(profile.parameters),
  };
}

const NO_NETWORK = [
  "; the network",
  "(allow system-socket (socket-domain AF_UNIX))",
  "; what must stay as it is",
];

Deno.test("seatbeltProfile() of a policy that grants nothing has the base alone", () => {
  assert.deepEqual(lines({}), {
    text: ["; what is granted", ...NO_NETWORK],
    parameters: [],
  });
});

Deno.test("seatbeltProfile() says what each kind of access gives", () => {
  assert.deepEqual(
    lines({
      grants: [
        grant("/data", "read"),
        grant("/dev/null", "device", "file"),
        grant("/home/u/.gitconfig", "read", "file"),
        grant("/opt", "exec"),
        grant("/project", "write"),
        grant("/shm", "create"),
      ],
    }),
    {
      text: [
        "; what is granted",
        '(allow file-read* (subpath (param "P0")))',
        '(allow file-read* file-write-data file-ioctl (literal (param "P1")))',
        '(allow file-read* (literal (param "P2")))',
        '(allow file-read* process-exec* file-map-executable (subpath (param "P3")))',
        '(allow file-read* file-write* process-exec* file-map-executable (subpath (param "P4")))',
        '(allow file-write* (subpath (param "P5")))',
        '(allow file-read-data (require-all (subpath (param "P5")) (require-not (vnode-type DIRECTORY))))',
        ...NO_NETWORK,
        '(deny file-write-create file-write-unlink (literal (param "P4")))',
        '(deny file-write-create file-write-unlink (literal (param "P5")))',
      ],
      parameters: [
        "/data",
        "/dev/null",
        "/home/u/.gitconfig",
        "/opt",
        "/project",
        "/shm",
      ],
    },
  );
});

Deno.test("seatbeltProfile() opens IP and nothing of Unix sockets beyond the grants when the network is open", () => {
  assert.deepEqual(
    lines({ grants: [grant("/project", "write")], network: { mode: "open" } })
      .text,
    [
      "; what is granted",
      '(allow file-read* file-write* process-exec* file-map-executable (subpath (param "P0")))',
      "; the network",
      "(allow mach-lookup",
      '  (global-name "com.apple.dnssd.service")',
      '  (global-name "com.apple.trustd")',
      '  (global-name "com.apple.trustd.agent"))',
      '(allow network-outbound (remote ip "*:*"))',
      '(allow network-inbound network-bind (local ip "*:*"))',
      '(allow network-outbound (literal "/private/var/run/mDNSResponder"))',
      "(allow system-socket (socket-domain AF_UNIX))",
      '(allow network-bind (local unix-socket (subpath (param "P0"))))',
      '(allow network-outbound (remote unix-socket (subpath (param "P0"))))',
      "; what must stay as it is",
      '(deny file-write-create file-write-unlink (literal (param "P0")))',
    ],
  );
});

Deno.test("seatbeltProfile() lets connect to the proxy and to granted ports alone when hosts are listed", () => {
  const { text, parameters } = lines({
    network: {
      mode: "hosts",
      allow: [{ pattern: "example.com", why: WHY }],
      ports: [{ port: 5432, why: WHY }, { port: 9000, why: WHY }],
      proxy: { port: 9000 },
    },
    unixSockets: [{ path: "/private/var/run/db.sock" as AbsPath, why: WHY }],
  });
  assert.deepEqual(text, [
    "; what is granted",
    "; the network",
    '(allow network-outbound (remote ip "localhost:9000"))',
    '(allow network-outbound (remote ip "localhost:5432"))',
    '(allow network-inbound network-bind (local ip "localhost:*"))',
    "(allow system-socket (socket-domain AF_UNIX))",
    '(allow network-outbound (remote unix-socket (path-literal (param "P0"))))',
    "; what must stay as it is",
  ]);
  assert.deepEqual(parameters, ["/private/var/run/db.sock"]);
});

Deno.test("seatbeltProfile() has sockets without a network where a directory of them is granted", () => {
  const { text, parameters } = lines({
    grants: [grant("/tmp/own", "write", "directory")],
    network: { mode: "none" },
    unixSockets: [{ path: "/db" as AbsPath, why: WHY, tree: true }],
  });
  assert.deepEqual(parameters, ["/tmp/own", "/db"]);
  const sockets = text.filter((line) => line.includes("unix-socket"));
  assert.deepEqual(sockets, [
    '(allow network-bind (local unix-socket (subpath (param "P0"))))',
    '(allow network-outbound (remote unix-socket (subpath (param "P0"))))',
    '(allow network-outbound (remote unix-socket (subpath (param "P1"))))',
  ]);
});

Deno.test("seatbeltProfile() is refused without the proxy that it needs", () => {
  const network = {
    mode: "hosts",
    allow: [],
    ports: [],
    proxy: undefined,
  } as const;
  assert.throws(
    () => seatbeltProfile(policyWith({ network })),
    (error: { code?: string; exitCode?: number }) =>
      error.code === "SANDBOX_REFUSED" && error.exitCode === 3,
  );
});

/** The pattern of a name in any letters. */
function anyLetters(name: string): string {
  return [...name].map((letter) =>
    letter === "." ? "[.]" : `([${letter}${letter.toUpperCase()}]|[^ -~]+)`
  ).join("");
}

Deno.test("seatbeltProfile() denies last what is protected, and moving what is above it away", () => {
  const { text, parameters } = lines({
    grants: [grant("/project", "write")],
    protected: [
      held("/project/.claude", "missing", true),
      held("/project/.git", "directory", false),
      held("/project/.git/config", "file", false),
      held("/project/.git/hooks", "directory", true),
      held("/project/.mcp.json", "missing", false),
      held("/project/.vscode", "symlink", true),
    ],
    sealed: [
      {
        path: "/home/u/.aenv" as AbsPath,
        except: ["/home/u/.aenv/envs/e/claude" as AbsPath],
        why: WHY,
      },
      { path: "/home/u/.ssh" as AbsPath, except: [], why: WHY },
    ],
  });
  const project = '(deny file-write-unlink (literal (param "P0")))';
  assert.deepEqual(text.slice(text.indexOf("; what must stay as it is") + 1), [
    '(deny file-write* (literal (param "P1")) (subpath (param "P1")))',
    project,
    '(deny file-write-unlink file-write-create (literal (param "P2")))',
    '(deny file-write* (literal (param "P3")))',
    '(deny file-write-unlink (literal (param "P2")))',
    '(deny file-write* (literal (param "P4")) (subpath (param "P4")))',
    '(deny file-write* (literal (param "P5")))',
    '(deny file-write* (literal (param "P6")) (subpath (param "P6")))',
    `(deny file-write-create (require-all (subpath (param "P0")) (regex #"^/[^/]+/(${
      anyLetters(".claude")
    }|${anyLetters(".mcp.json")})$")))`,
    '(deny file-write* (require-all (subpath (param "P7")) (require-not (subpath (param "P8")))))',
    '(deny file-write* (subpath (param "P9")))',
    '(deny file-write-create file-write-unlink (literal (param "P0")))',
  ]);
  assert.deepEqual(parameters.slice(7), [
    "/home/u/.aenv",
    "/home/u/.aenv/envs/e/claude",
    "/home/u/.ssh",
  ]);
});

/** Profile of a project without these names, as far as it says something about files. */
function withoutNames(...names: string[]): Profile {
  const { text, parameters } = seatbeltProfile(policyWith({
    os: "darwin",
    grants: [grant("/u/project", "write")],
    protected: names.map((name) => held(`/u/project/${name}`, "missing", true)),
  }));
  checkProfile(text, parameters);
  return new Profile(text, parameters);
}

Deno.test("seatbeltProfile() denies making what is missing in other letters, and nothing else", () => {
  const profile = withoutNames(".mcp.json", ".vscode", "a (b)", "wörk");
  const mayMake = (name: string) =>
    profile.allows("file-write-create", {
      path: `/u/project/${name}`,
      isDirectory: false,
    });
  for (
    const name of [
      ...[".mcp.json", ".MCP.json", ".mcp.JSON", ".vſcode", ".VsCode/tasks"],
      ...["A (B)", "wo\u0308rk", "WÖRK"],
    ]
  ) {
    const [top] = name.split("/");
    assert.equal(mayMake(top!), false, name);
  }
  for (
    const name of [
      ...[".mcp.jsonc", "x.mcp.json", "mcp.json", ".vscodes", "-mcp-json"],
      ...["src/.MCP.json", "src/a/.VSCODE", ".mcp.json.bak"],
    ]
  ) {
    assert.equal(mayMake(name), true, name);
  }
});

Deno.test("seatbeltProfile() reaches the keychain only for an agent that keeps its login there", () => {
  const program = "/opt/claude" as AbsPath;
  const { text } = lines({
    agent: { name: "claude", program, keychain: true },
    grants: [grant("/Users/u/Library/Keychains", "write")],
  });
  assert.ok(text.includes('  (global-name "com.apple.SecurityServer")'));
  const without = lines({
    agent: { name: "claude", program, keychain: false },
  });
  assert.ok(!without.text.join().includes("SecurityServer"));
});

Deno.test("seatbeltProfile() keeps paths out of its text, whatever is in them", () => {
  const path = '/project/a") (allow default) ("$(x)\n(param "P1")';
  const { text, parameters } = lines({ grants: [grant(path, "write")] });
  assert.ok(!text.join("\n").includes("default"));
  assert.deepEqual(parameters, [path]);
});

Deno.test("seatbeltCommand() is the system's own program with parameters, profile and command", () => {
  const profile = {
    text: "(version 1)",
    parameters: { P0: "/a=b" as AbsPath },
  };
  assert.deepEqual(seatbeltCommand(profile, ["/opt/claude", "-p", "--"]), [
    SANDBOX_EXEC,
    "-D",
    "P0=/a=b",
    "-p",
    "(version 1)",
    "--",
    "/opt/claude",
    "-p",
    "--",
  ]);
});

Deno.test("the base of every profile lets nothing act for the agent: no LaunchServices, no Apple events, no pasteboard", () => {
  const base = baseRules().join("\n");
  for (
    const word of [
      "launchservices",
      "appleevent",
      "pasteboard",
      "lsopen",
      "job-creation",
      "SecurityServer",
      "file-write*",
    ]
  ) assert.ok(!base.includes(word), word);
});
