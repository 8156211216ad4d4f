import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { AppError } from "../base/errors.ts";
import { parseSource, type SourceSpec } from "./mod.ts";

const ACCEPTED: Readonly<Record<string, SourceSpec>> = {
  "npm:review-kit": { kind: "npm", name: "review-kit", wanted: "" },
  "npm:review-kit@1.2.3": { kind: "npm", name: "review-kit", wanted: "1.2.3" },
  "npm:@acme/kit": { kind: "npm", name: "@acme/kit", wanted: "" },
  "npm:@acme/kit@>=1 <3": { kind: "npm", name: "@acme/kit", wanted: ">=1 <3" },
  "npm:@acme/kit@next": { kind: "npm", name: "@acme/kit", wanted: "next" },
  "git+https://git.example/acme/kit.git": git(
    "https://git.example/acme/kit.git",
  ),
  "git+https://git.example/acme/kit#v2": git("https://git.example/acme/kit", {
    type: "name",
    name: "v2",
  }),
  "git+https://git.example/kit#feature/a%23b": git("https://git.example/kit", {
    type: "name",
    name: "feature/a#b",
  }),
  "git+ssh://git@git.example/acme/kit.git#semver:^1.2": git(
    "ssh://git@git.example/acme/kit.git",
    { type: "semver", range: "^1.2" },
  ),
  "git+file:///srv/kit.git#0123456789012345678901234567890123456789": git(
    "file:///srv/kit.git",
    { type: "commit", commit: "0123456789012345678901234567890123456789" },
  ),
  "https://files.example/kit-1.0.tar.gz": {
    kind: "archive",
    url: "https://files.example/kit-1.0.tar.gz",
  },
  "https://files.example/KIT.ZIP?v=2": {
    kind: "archive",
    url: "https://files.example/KIT.ZIP?v=2",
  },
  "./plugins/review": { kind: "path", path: "./plugins/review" },
  "plugins/review": { kind: "path", path: "plugins/review" },
  "../shared": { kind: "path", path: "../shared" },
  "~/plugins/x@y": { kind: "path", path: "~/plugins/x@y" },
  "/srv/kit.tgz": { kind: "path", path: "/srv/kit.tgz" },
  "file:plugins/review": { kind: "path", path: "plugins/review" },
  "file:///srv/a%20b": { kind: "path", path: "/srv/a b" },
  "file:///srv/100%": { kind: "path", path: "/srv/100%" },
  "file://localhost/srv/a": { kind: "path", path: "/srv/a" },
  "C:\\plugins": { kind: "path", path: "C:\\plugins" },
  "review@acme/plugins": market(git("https://github.com/acme/plugins.git")),
  "review@acme/plugins#v2": market(
    git("https://github.com/acme/plugins.git", { type: "name", name: "v2" }),
  ),
  "review@https://git.example/plugins.git#main": market(
    git("https://git.example/plugins.git", { type: "name", name: "main" }),
  ),
  "review@git@git.example:acme/plugins.git": market(
    git("ssh://git@git.example/acme/plugins.git"),
  ),
  "review@git+file:///srv/plugins": market(git("file:///srv/plugins")),
  "review@https://files.example/marketplace.json": market({
    kind: "catalog",
    url: "https://files.example/marketplace.json",
  }),
  "review@./market": market({ kind: "path", path: "./market" }),
  "review@~/market": market({ kind: "path", path: "~/market" }),
};

function git(
  url: string,
  ref: Extract<SourceSpec, { kind: "git" }>["ref"] = { type: "default" },
) {
  return { kind: "git" as const, url, ref };
}

function market(
  where: Extract<SourceSpec, { kind: "marketplace" }>["market"],
): SourceSpec {
  return { kind: "marketplace", plugin: "review", market: where };
}

for (const [text, spec] of Object.entries(ACCEPTED)) {
  Deno.test(`parseSource() reads ${text}`, () => {
    deepStrictEqual(parseSource(text), spec);
  });
}

/** Text → what the error says, and what its hint says. */
const REFUSED: Readonly<Record<string, readonly [RegExp, RegExp]>> = {
  "": [/no known form/, /npm:PACKAGE\[@VERSION\], git\+https:/],
  " ./x": [/no known form/, /The forms are/],
  "./x\ny": [/no known form/, /The forms are/],
  "ftp://x/y.tgz": [/no known form/, /The forms are/],
  "npm:": [/is no package name/, /npm:@SCOPE/],
  "npm:../x": [/is no package name/, /npm:PACKAGE/],
  "npm:kit@": [/is no version/, /npm:PACKAGE/],
  "npm:kit@git://x/y": [/is no version/, /npm:PACKAGE/],
  "npm:kit@npm:other": [/is no version/, /npm:PACKAGE/],
  "http://x/y.tgz": [/without encryption/, /Use https/],
  "git://x/y": [/without encryption/, /Use https/],
  "git+http://x/y": [/without encryption/, /Use https/],
  "git+git://x/y": [/without encryption/, /Use https/],
  "git+ftp://x/y": [/does not start with https/, /scheme/],
  "git+ext::sh -c x": [/does not start with https/, /scheme/],
  "git+file://host/x": [/it names a host/, /scheme/],
  "git+https://user:pw@x/y": [/user name or password/, /credential helper/],
  "git+https://token@x/y": [/user name or password/, /credential helper/],
  "git+ssh://git:pw@x/y": [/user name or password/, /credential helper/],
  "git+ssh://-oProxyCommand=x/y": [/no valid host/, /scheme/],
  "git+ssh://-oX@x/y": [/no valid user name/, /scheme/],
  "git+ssh://git@x:acme/y": [/no port/, /git\+ssh:\/\/git@x\/acme\/y/],
  "git+https://x/y?a=b": [/no parameters/, /question mark/],
  "git+https://x/y#--upload-pack=z": [/no branch or tag/, /#BRANCH/],
  "git+https://x/y#a..b": [/no branch or tag/, /#BRANCH/],
  "git+https://x/y#a b": [/no branch or tag/, /#BRANCH/],
  "git@x:acme/y.git": [/address of a repository/, /git\+ssh:\/\/git@x\/acme/],
  "https://x/y.git": [/address of a repository/, /git\+https/],
  "https://x/y": [/neither an archive nor/, /git\+https/],
  "https://x/y.tgz#a": [/no fragment/, /Take away/],
  "https://user:pw@x/y.tgz": [/user name or password/, /lock/],
  "https://x/y.tgz?access_token=abc": [/"access_token" looks like/, /secret/],
  "file://host/y": [/names a host/, /file:\/\/\//],
  "x@y": [/"y" is no marketplace/, /PLUGIN@OWNER/],
  "-x@acme/y": [/is no plugin name/, /PLUGIN@OWNER/],
  "x@http://y/z": [/without encryption/, /Use https/],
};

for (const [text, [message, hint]] of Object.entries(REFUSED)) {
  Deno.test(`parseSource() refuses ${JSON.stringify(text)}`, () => {
    throws(() => parseSource(text), (error) => {
      ok(error instanceof AppError);
      ok(/^SOURCE_(INVALID|REFUSED)$/.test(error.code), error.code);
      ok(message.test(error.message), error.message);
      ok(hint.test(error.hint ?? ""), error.hint);
      return true;
    });
  });
}

Deno.test("parseSource() never repeats a password or a token", () => {
  const secret = "hunter2hunter2";
  const texts = [
    `https://me:${secret}@x/y.tgz`,
    `git+https://${secret}@x/y`,
    `git+ssh://git:${secret}@x/y`,
    `https://x/y.tgz?access_token=${secret}`,
    `ftp://me:${secret}@x/y`,
    `a@https://me:${secret}@x/y`,
    `git://me:${secret}@x/y`,
  ];
  for (const text of texts) {
    throws(() => parseSource(text), (error) => {
      ok(error instanceof AppError);
      const said = `${error.message} ${error.hint}`;
      ok(!said.includes(secret), said);
      return true;
    });
  }
});

Deno.test("parseSource() gives a spec or an AppError for any text", () => {
  const words = fc.constantFrom(
    "npm:",
    "git+",
    "https://",
    "ssh://",
    "file:",
    "//",
    "@",
    "#",
    "semver:",
    "..",
    "/",
    "\\",
    ":",
    "~",
    ".tar.gz",
    ".json",
    "acme",
    "%",
    "%00",
    "?",
    "-",
    "[",
    "é",
    "\0",
    " ",
  );
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.array(fc.oneof(words, fc.string({ maxLength: 4 })), { maxLength: 9 })
      .map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const spec = parseSource(text);
        const urls: string[] = [];
        JSON.stringify(spec, (key, value) => {
          if (key === "url") urls.push(value);
          return value;
        });
        // Whatever the text, no address without encryption and none with a password comes out.
        for (const url of urls) {
          ok(
            /^(https:\/\/[^/@]*\/|ssh:\/\/[^:@/]*@?[^@/]*(\/|$)|file:\/\/\/)/
              .test(url),
            url,
          );
        }
      } catch (error) {
        ok(error instanceof AppError, String(error));
        strictEqual(/\.$/.test(error.message), false);
      }
    }),
    { numRuns: 20_000 },
  );
});
