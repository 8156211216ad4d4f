import {
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  describeTree,
  overwrite,
  SAMPLE,
  StoreWorld,
  type TreeSpec,
  writeTree,
} from "../../tests/support/store_world.ts";
import { type AbsPath } from "../base/paths.ts";
import { markOf } from "../os/marks.ts";
import { hashTree, insertTree, openStore, parseTreeHash } from "./mod.ts";

const OTHER = parseTreeHash("0".repeat(64));

/** What the world's only source is refused for. */
async function refusal(
  world: StoreWorld,
  make: (root: AbsPath) => void,
): Promise<string> {
  const root = world.path("source");
  Deno.mkdirSync(root);
  make(root);
  let message = "";
  await rejects(
    () => insertTree(world.store, root),
    (error: Error & { code?: string }) => {
      strictEqual(error.code, "CONTENT_INVALID");
      message = error.message;
      return true;
    },
  );
  // What cannot be inserted has no hash either.
  throws(() => hashTree(root), { message });
  deepStrictEqual(world.leftOvers(), []);
  strictEqual(markOf(world.path("store", "objects")), undefined);
  Deno.removeSync(root, { recursive: true });
  return message.replace(`Cannot use the files in "${root}": `, "");
}

function sh(cwd: string, script: string): void {
  const { code } = new Deno.Command("/bin/sh", { args: ["-c", script], cwd })
    .outputSync();
  strictEqual(code, 0);
}

Deno.test("insertTree() keeps the tree read-only under its hash, and nothing else", async () => {
  using world = new StoreWorld();
  const source = writeTree(world.path("source"), SAMPLE);
  const inserted = await insertTree(world.store, source);
  deepStrictEqual(inserted, {
    hash: hashTree(source),
    isNew: true,
    entries: 13,
    bytes: 55,
  });
  deepStrictEqual(describeTree(world.objectPath(inserted.hash, "tree")), [
    "d 500 ",
    "d 500 .claude-plugin",
    'f 400 .claude-plugin/plugin.json: {"name":"sample"}',
    "f 400 SKILL.md: Be brief.\n",
    "d 500 bin",
    "f 500 bin/tool: #!/bin/sh\necho hi\n",
    "d 500 docs",
    "d 500 docs/deep",
    "d 500 docs/deep/er",
    "f 400 docs/deep/er/note.md: note",
    "l docs/link.md → ../SKILL.md",
    "f 400 docs/한국어.md: 안녕",
    "d 500 empty",
    "f 400 nothing: ",
  ]);
  deepStrictEqual(world.leftOvers(), []);
});

Deno.test("insertTree() finds a tree that it has, and one with the same hash from elsewhere", async () => {
  using world = new StoreWorld();
  const hash = await world.insert();
  const before = describeTree(world.objectPath(hash, "tree"));
  const source = writeTree(world.path("source"), SAMPLE);
  const again = await insertTree(world.store, source);
  strictEqual(again.isNew, false);
  strictEqual(again.hash, hash);
  deepStrictEqual(describeTree(world.objectPath(hash, "tree")), before);
});

Deno.test("insertTree() gives the same modes under every umask", async () => {
  const trees: string[][] = [];
  for (const umask of [0, 0o077, 0o777]) {
    using world = new StoreWorld();
    const source = writeTree(world.path("source"), SAMPLE);
    const old = Deno.umask(umask);
    try {
      const { hash } = await insertTree(world.store, source);
      trees.push(describeTree(world.objectPath(hash, "tree")));
      strictEqual(markOf(world.path("store"))?.mode, 0o700);
    } finally {
      Deno.umask(old);
    }
  }
  deepStrictEqual(trees[0], trees[1]);
  deepStrictEqual(trees[0], trees[2]);
});

Deno.test("insertTree() names both hashes when another one is expected, and leaves nothing", async () => {
  using world = new StoreWorld();
  const source = writeTree(world.path("source"), SAMPLE);
  await rejects(
    () => insertTree(world.store, source, { expected: OTHER, what: "npm:x" }),
    {
      code: "HASH_MISMATCH",
      message: `Cannot take the files of "npm:x": their hash is sha256-${
        hashTree(source)
      }, expected is sha256-${OTHER}`,
    },
  );
  deepStrictEqual(world.leftOvers(), []);
  strictEqual(markOf(world.path("store", "objects")), undefined);
  const expected = hashTree(source);
  ok((await insertTree(world.store, source, { expected })).isNew);
});

Deno.test("insertTree() leaves out what version control, file managers and interpreters leave behind", async () => {
  using world = new StoreWorld();
  const source = writeTree(world.path("source"), {
    ...SAMPLE,
    ".git/config": "secret",
    "docs/.git": "gitdir: elsewhere",
    "bin/__pycache__/x.pyc": "code",
    "docs/.DS_Store": "x",
  });
  Deno.symlinkSync("/etc", `${source}/.hg`);
  const { hash } = await insertTree(world.store, source);
  strictEqual(hash, await world.insert());
});

Deno.test("insertTree() replaces a damaged object", async () => {
  const damages: ((tree: string) => void)[] = [
    (tree) => overwrite(`${tree}/SKILL.md`, "Be evil!!\n"),
    (tree) => Deno.removeSync(`${tree}/../seal.json`),
    (tree) => Deno.writeTextFileSync(`${tree}/../seal.json`, "{}"),
    (tree) => Deno.removeSync(`${tree}/..`, { recursive: true }),
    (tree) => Deno.chmodSync(`${tree}/bin/tool`, 0o755),
  ];
  for (const damage of damages) {
    using world = new StoreWorld();
    const hash = await world.insert();
    const before = describeTree(world.objectPath(hash, "tree"));
    damage(world.objectPath(hash, "tree"));
    const source = writeTree(world.path("source"), SAMPLE);
    const again = await insertTree(world.store, source, { expected: hash });
    strictEqual(again.isNew, true, damage.toString());
    deepStrictEqual(describeTree(world.objectPath(hash, "tree")), before);
  }
});

Deno.test("insertTree() refuses names that cannot be the same everywhere", async () => {
  using world = new StoreWorld();
  const cases: [TreeSpec, string][] = [
    [{ "a\nb": "" }, '"a\\u000ab" has a control character in its name'],
    [{ "a\\b": "" }, '"a\\b" has a backslash in its name'],
    [{ "d/nul.txt": "" }, '"d/nul.txt" has the name of a device on Windows'],
    [{ "d/x.": "" }, '"d/x." has a name that ends in a dot or a space'],
    [
      { "d/A": "1", "d/a": "2" },
      '"d/A" and "d/a" differ only in upper and lower case',
    ],
    [
      { "d/\u00e9": "1", "d/e\u0301": "2" },
      '"d/é" and "d/é" differ only in the Unicode form',
    ],
    [
      { "stra\u00dfe": "1", "STRASSE": { directory: true } },
      '"STRASSE" and "straße" differ only in upper and lower case',
    ],
  ];
  for (const [spec, expected] of cases) {
    const message = await refusal(world, (root) => void writeTree(root, spec));
    const swapped = message.replace(
      /^(".*") and (".*") differ/,
      "$2 and $1 differ",
    );
    ok([message, swapped].includes(expected), message);
  }
  const notText = await refusal(
    world,
    (root) => sh(root, `: > "$(printf 'bad\\377')"`),
  );
  strictEqual(notText, '"bad\ufffd" has a name that is not UTF-8');
});

Deno.test("insertTree() refuses what is neither a file nor a directory nor an inner link", async () => {
  using world = new StoreWorld();
  const cases: [string, string][] = [
    ["mkfifo pipe", '"pipe" is neither a file nor a directory'],
    [
      "mkdir d && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"d/s\")'",
      '"d/s" is neither a file nor a directory',
    ],
    ["ln -s /etc/passwd l", 'the link "l" has an absolute target'],
    ["mkdir d && ln -s ../../x d/l", 'the link "d/l" leads out of it'],
    ["ln -s l l", 'the link "l" leads in a circle'],
  ];
  if (Deno.uid() === 0) {
    cases.push([
      "mknod null c 1 3",
      '"null" is neither a file nor a directory',
    ]);
  }
  for (const [script, expected] of cases) {
    strictEqual(await refusal(world, (root) => sh(root, script)), expected);
  }
});

Deno.test("insertTree() refuses trees beyond the limits, and takes those just within", async () => {
  using world = new StoreWorld();
  const { store } = world;
  const source = writeTree(world.path("source"), SAMPLE);
  const tooMany = { limits: { entries: 12 } };
  await rejects(() => insertTree(store, source, tooMany), {
    code: "CONTENT_INVALID",
    message: /it has more than 12 entries$/,
  });
  const tooMuch = { limits: { bytes: 54 } };
  await rejects(() => insertTree(store, source, tooMuch), {
    code: "CONTENT_INVALID",
    message: /it has more than 54 bytes$/,
  });
  const just = { limits: { entries: 13, bytes: 55 } };
  ok((await insertTree(store, source, just)).isNew);
});

Deno.test("insertTree() refuses a file that claims a terabyte without reading it", async () => {
  using world = new StoreWorld();
  const huge = await refusal(world, (root) => {
    Deno.openSync(`${root}/hole`, { write: true, create: true }).close();
    Deno.truncateSync(`${root}/hole`, 2 ** 40);
  });
  strictEqual(huge, "it has more than 536870912 bytes");
});

Deno.test("insertTree() refuses paths that are too long, before the system does", async () => {
  using world = new StoreWorld();
  const message = await refusal(world, (root) => {
    // Deeper than any path that could be given to the system at once.
    const line = 'os.mkdir("directory-no"); os.chdir("directory-no")';
    sh(root, `python3 -c 'import os\nfor i in range(400): ${line}'`);
  });
  ok(/^"directory-no\/.*…" has too long a path$/.test(message), message);
});

Deno.test("insertTree() takes files with several names as files of their own", async () => {
  using world = new StoreWorld();
  const source = writeTree(world.path("source"), { "a": "x" });
  Deno.linkSync(`${source}/a`, `${source}/b`);
  Deno.linkSync(`${source}/a`, world.path("outside"));
  const { hash } = await insertTree(world.store, source);
  strictEqual(hash, await world.insert({ "a": "x", "b": "x" }));
  strictEqual(markOf(world.objectPath(hash, "tree", "a"))?.links, 1);
});

Deno.test("insertTree() names a source that is no directory", async () => {
  using world = new StoreWorld();
  const file = world.path("file");
  Deno.writeTextFileSync(file, "");
  await rejects(() => insertTree(world.store, file), {
    code: "CONTENT_INVALID",
    message: `Cannot use the files in "${file}": it is not a directory`,
  });
  const none = world.path("none");
  await rejects(() => insertTree(world.store, none), {
    code: "CONTENT_INVALID",
    message: `Cannot use the files in "${none}": it does not exist`,
  });
});

Deno.test("insertTree() refuses a file or a directory that changes while it is read", async () => {
  using world = new StoreWorld();
  const block = new Uint8Array(20_000_000);
  const source = writeTree(world.path("source"), { "d/file": block });
  const changes: [string, RegExp][] = [
    ["printf x >> d/file", /"d\/file" changed while it was read$/],
    ["printf x 1<> d/file", /"d\/file" changed while it was read$/],
    [": > d/new; rm d/new", /"d(\/new)?" changed while it was read$/],
  ];
  for (const [change, message] of changes) {
    const script = `while :; do ${change}; sleep 0.001; done`;
    const writer = new Deno.Command("/bin/sh", {
      args: ["-c", script],
      cwd: source,
    }).spawn();
    try {
      await rejects(async () => {
        const deadline = performance.now() + 20_000;
        while (performance.now() < deadline) {
          await insertTree(world.store, source);
        }
      }, { code: "CONTENT_INVALID", message });
    } finally {
      writer.kill("SIGKILL");
      await writer.status;
    }
    deepStrictEqual(world.leftOvers(), []);
  }
});

Deno.test("insertTree() works alongside itself: one inserts, all have it", async () => {
  using world = new StoreWorld();
  const source = writeTree(world.path("source"), SAMPLE);
  const stores = [1, 2, 3, 4, 5].map(() => openStore(world.path("store")));
  const results = await Promise.all(
    stores.map((store) => insertTree(store, source)),
  );
  strictEqual(results.filter(({ isNew }) => isNew).length, 1);
  strictEqual(new Set(results.map(({ hash }) => hash)).size, 1);
  for (const store of stores) store[Symbol.dispose]();
  deepStrictEqual(world.leftOvers(), []);
});
