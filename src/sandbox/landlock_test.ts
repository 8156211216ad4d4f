import assert from "node:assert/strict";
import type { AbsPath } from "../base/paths.ts";
import { policyWith } from "../../tests/support/sandbox_policies.ts";
import { landlockRules, rightNames } from "./landlock.ts";
import type { Access } from "./types.ts";

const READ = ["readFile", "readDir"];
const EXEC = ["execute", "readFile", "readDir"];
const MAKE = "removeDir removeFile makeDir makeReg makeSock makeFifo makeSym"
  .split(" ");

function grant(path: string, access: Access, kind: "file" | "directory") {
  const why = { source: "system", text: "a test" } as const;
  return { path: path as AbsPath, access, kind, why };
}

const POLICY = policyWith({
  grants: [
    grant("/dev/null", "device", "file"),
    grant("/dev/shm", "create", "directory"),
    grant("/etc", "read", "directory"),
    grant("/home/u/.gitconfig", "read", "file"),
    grant("/opt/claude", "exec", "file"),
    grant("/project", "write", "directory"),
    grant("/usr", "exec", "directory"),
  ],
  network: { mode: "none" },
  unixSockets: [{
    path: "/run/docker.sock" as AbsPath,
    why: { source: "manifest", text: "a test" },
  }],
});

/** Path, kind and the names of the rights of each rule. */
function rules(abi: number, policy = POLICY) {
  const { paths, handledFiles, ...rest } = landlockRules(policy, abi);
  return {
    ...rest,
    handledFiles: rightNames(handledFiles),
    paths: paths.map((
      { path, kind, access },
    ) => [path, kind, rightNames(access)]),
  };
}

const WRITE_1 = ["execute", "writeFile", ...READ, ...MAKE];
const ALL_1 = [
  ...["execute", "writeFile", "readFile", "readDir", "removeDir"],
  ...["removeFile", "makeChar", "makeDir", "makeReg", "makeSock"],
  ...["makeFifo", "makeBlock", "makeSym"],
];

Deno.test("landlockRules() are those of version 1 where the kernel has no more", () => {
  assert.deepEqual(rules(1), {
    abi: 1,
    handledFiles: ALL_1,
    handledNetwork: 0,
    scoped: 0,
    paths: [
      ["/dev/null", "file", ["writeFile", "readFile"]],
      ["/dev/shm", "directory", ["writeFile", "readFile", ...MAKE]],
      ["/etc", "directory", READ],
      ["/home/u/.gitconfig", "file", ["readFile"]],
      ["/opt/claude", "file", ["execute", "readFile"]],
      ["/project", "directory", WRITE_1],
      ["/usr", "directory", EXEC],
    ],
  });
});

Deno.test("landlockRules() of version 9 name what each version has added", () => {
  const device = ["writeFile", "readFile", "truncate", "ioctlDev"];
  const shared = ["writeFile", "readFile", ...MAKE, "refer", "truncate"];
  assert.deepEqual(rules(9), {
    abi: 9,
    handledFiles: [...ALL_1, "refer", "truncate", "ioctlDev", "resolveUnix"],
    handledNetwork: 3,
    scoped: 3,
    paths: [
      ["/dev/null", "file", device],
      ["/dev/shm", "directory", shared],
      ["/etc", "directory", READ],
      ["/home/u/.gitconfig", "file", ["readFile"]],
      ["/opt/claude", "file", ["execute", "readFile"]],
      ["/project", "directory", [...WRITE_1, "refer", "truncate"]],
      ["/usr", "directory", EXEC],
      ["/run/docker.sock", "socket", ["resolveUnix"]],
    ],
  });
});

Deno.test("landlockRules() ask for nothing that the version does not have", () => {
  const handled = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((abi) => {
    const { handledFiles, handledNetwork, scoped, paths } = landlockRules(
      POLICY,
      abi,
    );
    assert.ok(paths.every((p) => (p.access & ~handledFiles) === 0));
    assert.ok(paths.every((p) => p.access !== 0));
    return [handledFiles.toString(16), handledNetwork, scoped];
  });
  assert.deepEqual(handled, [
    ["1fff", 0, 0],
    ["3fff", 0, 0],
    ["7fff", 0, 0],
    ["7fff", 3, 0],
    ["ffff", 3, 0],
    ["ffff", 3, 3],
    ["ffff", 3, 3],
    ["ffff", 3, 3],
    ["1ffff", 3, 3],
  ]);
});

Deno.test("landlockRules() for a newer kernel are those that are known", () => {
  assert.deepEqual(rules(12), rules(9));
});

Deno.test("landlockRules() allow no TCP port in any mode", () => {
  const modes = [
    policyWith({ network: { mode: "open" } }),
    policyWith({
      network: {
        mode: "hosts",
        allow: [],
        ports: [{ port: 5432, why: { source: "manifest", text: "" } }],
        proxy: { port: 8080 },
      },
    }),
    policyWith({ network: { mode: "none" } }),
  ];
  assert.deepEqual(
    modes.map((policy) => landlockRules(policy, 7).handledNetwork),
    [0, 2, 3],
  );
});
