import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { AppError } from "../base/errors.ts";
import { describePin, formatPin, parsePin, type Resolution } from "./mod.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const SHA256 = "ab".repeat(32);
const GIT = {
  kind: "git",
  url: "https://git.example/acme/kit.git",
  commit: COMMIT,
  ref: "refs/tags/v2",
} as const;

const FORMS: readonly (readonly [Resolution, string])[] = [
  [
    {
      kind: "npm",
      name: "@acme/kit",
      version: "1.2.3-rc.1+b",
      integrity: "sha512-ab+/c==",
    },
    "npm:@acme/kit@1.2.3-rc.1+b integrity=sha512-ab+/c==",
  ],
  [
    GIT,
    `git+https://git.example/acme/kit.git commit=${COMMIT} ref=refs/tags/v2`,
  ],
  [
    { ...GIT, ref: "HEAD" },
    `git+https://git.example/acme/kit.git commit=${COMMIT}`,
  ],
  [
    { kind: "archive", url: "https://x.example/a%20b.zip", sha256: SHA256 },
    `https://x.example/a%20b.zip sha256=${SHA256}`,
  ],
  [{ kind: "path", path: "./a b|c%" }, "path:./a%20b|c%25"],
  [
    {
      kind: "marketplace",
      plugin: "review",
      market: {
        kind: "catalog",
        url: "https://x.example/m.json",
        sha256: SHA256,
      },
      inner: GIT,
      subpath: "plugins/a b",
      overlay: '{"name":"review"}',
    },
    'marketplace:review subpath=plugins/a%20b overlay={"name":"review"} | ' +
    `catalog:https://x.example/m.json sha256=${SHA256} | ` +
    `git+https://git.example/acme/kit.git commit=${COMMIT} ref=refs/tags/v2`,
  ],
];

for (const [pin, text] of FORMS) {
  Deno.test(`formatPin() writes ${text.slice(0, 40)} and parsePin() reads it`, () => {
    strictEqual(formatPin(pin), text);
    deepStrictEqual(parsePin(text), pin);
    ok(describePin(pin).length > 0);
  });
}

Deno.test("formatPin() leaves out where a mirror has the tarball", () => {
  const pin = {
    kind: "npm",
    name: "a",
    version: "1.0.0",
    integrity: "sha512-a=",
  } as const;
  strictEqual(
    formatPin({ ...pin, tarball: "https://mirror/a.tgz" }),
    formatPin(pin),
  );
});

Deno.test("parsePin() refuses what formatPin() would not have written", () => {
  const bad = [
    "",
    "npm:a@1.0.0",
    "npm:a@^1 integrity=sha512-a=",
    "npm:a@1.0.0 integrity=md5-a=",
    "npm:a@1.0.0 integrity=sha512-a= extra=1",
    "git+https://x/y commit=0123456",
    `git+http://x/y commit=${COMMIT}`,
    `git+https://me:pw@x/y commit=${COMMIT}`,
    `git+https://x/y commit=${COMMIT} ref=--upload-pack`,
    `git+https://x/y ref=refs/heads/a commit=${COMMIT}`,
    `git+https://x/y  commit=${COMMIT}`,
    `https://x/y.zip sha256=${SHA256.toUpperCase()}`,
    `http://x/y.zip sha256=${SHA256}`,
    `catalog:https://x/m.json sha256=${SHA256}`,
    "path:",
    "path:%zz",
    `marketplace:a | path:./m`,
    `marketplace:a | npm:a@1.0.0 integrity=sha512-a= | path:./x`,
  ];
  for (const text of bad) {
    throws(() => parsePin(text), (error) => {
      ok(error instanceof AppError, `${text}: ${error}`);
      ok(/^SOURCE_/.test(error.code));
      return true;
    });
  }
});

Deno.test("parsePin() gives back any pin that formatPin() wrote, in one line of printable ASCII", () => {
  const hex = (length: number) =>
    fc.string({
      unit: fc.constantFrom(..."0123456789abcdef"),
      minLength: length,
      maxLength: length,
    });
  const words = fc.string({ unit: "binary", minLength: 1 })
    .filter((t) => t.isWellFormed() && !t.includes("\0"));
  const path = fc.record({ kind: fc.constant("path" as const), path: words });
  const url = fc.webUrl({ validSchemes: ["https"], withQueryParameters: false })
    .map((text) => new URL(text).href);
  const git = fc.record({
    kind: fc.constant("git" as const),
    url,
    commit: hex(40),
    ref: fc.constantFrom("HEAD", "refs/heads/ä%|b", "refs/tags/v1"),
  });
  const archive = fc.record({
    kind: fc.constant("archive" as const),
    url,
    sha256: hex(64),
  });
  const catalog = fc.record({
    kind: fc.constant("catalog" as const),
    url,
    sha256: hex(64),
  });
  const plain = fc.oneof(path, git, archive);
  const market = fc.record({
    kind: fc.constant("marketplace" as const),
    plugin: words,
    market: fc.oneof(git, catalog, path),
    inner: plain,
    subpath: words,
    overlay: words,
  }, { requiredKeys: ["kind", "plugin", "market", "inner"] });
  fc.assert(
    fc.property(fc.oneof(plain, market), (pin) => {
      const text = formatPin(pin as Resolution);
      ok(/^[ -~]+$/.test(text), text);
      deepStrictEqual(parsePin(text), JSON.parse(JSON.stringify(pin)));
    }),
    { numRuns: 5_000 },
  );
});
