import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { AppError } from "../base/errors.ts";
import { parseItemName } from "../base/ids.ts";
import {
  addEntry,
  editManifest,
  editToml,
  type Entry,
  newManifest,
  parseManifest,
  removeEntry,
  setEntry,
} from "./mod.ts";

const PLUGINS = { kind: "plugins", file: "m" } as const;
const SKILLS = { kind: "skills", file: "m" } as const;

function entry(name: string, source = `./${name}`, subpath?: string): Entry {
  return { name: parseItemName(name), source, subpath };
}

const TEXT = `# head
[env]
name = "x"

# about one
[[plugins.enabled]]
name = "one" # t1
# inside
source = './one'
subpath = "a"

# about two
[[plugins.enabled]]
name = "two"
source = "./two"
# subpath = "b"

# about skills
[skills]
enabled = [
  # first
  { name = "s1", source = "./s1" }, # t2
  # second
  { name = 's2', source = './s2' },
  # end
]

[vars]
A = "1"
`;

Deno.test("addEntry() puts a table behind the last one, and leaves comments where they belong", () => {
  strictEqual(
    addEntry(TEXT, entry("three", "npm:a@1", "p/q"), PLUGINS),
    TEXT.replace(
      "\n# about skills",
      `
[[plugins.enabled]]
name = "three"
source = "npm:a@1"
subpath = "p/q"

# about skills`,
    ),
  );
});

Deno.test("addEntry() puts an element at the end of a list on several lines", () => {
  strictEqual(
    addEntry(TEXT, entry("s3"), SKILLS),
    TEXT.replace(
      "'./s2' },\n",
      '\'./s2\' },\n  { name = "s3", source = "./s3" },\n',
    ),
  );
});

const HEAD = '[env]\nname = "x"\n';
const ONE = '{ name = "n", source = "./n" }';
const BLOCK = '[[plugins.enabled]]\nname = "n"\nsource = "./n"\n';

Deno.test("addEntry() writes what fits the way the list is written", () => {
  const cases: readonly (readonly [string, string])[] = [
    [HEAD, HEAD + "\n" + BLOCK],
    [HEAD.trimEnd(), HEAD + "\n" + BLOCK],
    [HEAD + "\n\n", HEAD + "\n\n" + BLOCK],
    [
      HEAD + "[plugins] # p\n[vars]\n",
      HEAD + "[plugins] # p\n\n" + BLOCK + "\n[vars]\n",
    ],
    [
      HEAD + "[plugins]\nenabled = []\n",
      HEAD + `[plugins]\nenabled = [${ONE}]\n`,
    ],
    [
      HEAD + "[plugins]\nenabled = [ # c\n]",
      HEAD + `[plugins]\nenabled = [\n  ${ONE}, # c\n]\n`,
    ],
    ["plugins = {}\n" + HEAD, `plugins = { enabled = [${ONE}] }\n` + HEAD],
    ["plugins.enabled = [ ]\n" + HEAD, `plugins.enabled = [${ONE}]\n` + HEAD],
    [
      'plugins = { enabled = [{ name = "a", source = "b" }] }\n' + HEAD,
      `plugins = { enabled = [{ name = "a", source = "b" }, ${ONE}] }\n` + HEAD,
    ],
    [
      'plugins.enabled = [\n\t{ name = "a", source = "b" } # c\n]\n' + HEAD,
      `plugins.enabled = [\n\t{ name = "a", source = "b" }, # c\n\t${ONE}\n]\n` +
      HEAD,
    ],
    [
      'aenv_schema_version = "1"\n' + HEAD + 'cc_compatible = ">=2"\n',
      'aenv_schema_version = "1"\n' + HEAD + 'cc_compatible = ">=2"\n\n' +
      BLOCK,
    ],
  ];
  for (const [before, after] of cases) {
    strictEqual(addEntry(before, entry("n"), PLUGINS), after);
  }
});

Deno.test("removeEntry() takes the table out and keeps comment lines", () => {
  strictEqual(
    removeEntry(TEXT, "one", PLUGINS),
    TEXT.replace(
      /\[\[plugins\.enabled\]\]\nname = "one"[^]*?subpath = "a"\n/,
      "# inside\n",
    ),
  );
  const both = removeEntry(removeEntry(TEXT, "two", PLUGINS), "one", PLUGINS);
  strictEqual(
    both.slice(0, both.indexOf("[skills]")),
    `# head
[env]
name = "x"

# about one
# inside

# about two
# subpath = "b"

# about skills
`,
  );
});

Deno.test("removeEntry() leaves one blank line where it took a table out", () => {
  const other = '[[plugins.enabled]]\nname = "o"\nsource = "./o"\n';
  for (
    const [before, after] of [
      [`${HEAD}\n${BLOCK}\n${other}`, `${HEAD}\n${other}`],
      [`${HEAD}\n${other}\n${BLOCK}`, `${HEAD}\n${other}`],
      [`${BLOCK}\n${HEAD}`, HEAD],
      [`${HEAD}\n${BLOCK}`, HEAD],
      [`${HEAD}\n\n${BLOCK}\n[vars]\n`, `${HEAD}\n\n[vars]\n`],
    ]
  ) strictEqual(removeEntry(before!, "n", PLUGINS), after);
});

Deno.test("removeEntry() takes the element out of a list, with its line", () => {
  strictEqual(
    removeEntry(TEXT, "s1", SKILLS),
    TEXT.replace('  { name = "s1", source = "./s1" }, # t2\n', ""),
  );
  strictEqual(
    removeEntry(TEXT, "s2", SKILLS),
    TEXT.replace("  { name = 's2', source = './s2' },\n", ""),
  );
  const a = '{ name = "a", source = "a" }';
  for (
    const [before, after] of [
      [`[${ONE}]`, "[]"],
      [`[ ${ONE}, ]`, "[]"],
      [`[\n  ${ONE}\n]`, "[]"],
      [`[${ONE}, ${a}]`, `[${a}]`],
      [`[${a}, ${ONE}]`, `[${a}]`],
      [`[ ${a} , ${ONE} ]`, `[ ${a}  ]`],
      [`[\n  ${a},\n  ${ONE}\n]`, `[\n  ${a}\n]`],
      [`[\n  ${ONE},\n  ${a} # c\n]`, `[\n  ${a} # c\n]`],
      [`[\n  ${ONE} # d\n  # c\n  , ${a}\n]`, `[\n  # c\n   ${a}\n]`],
    ]
  ) {
    const text = `plugins.enabled = ${before}\n${HEAD}`;
    const expected = `plugins.enabled = ${after}\n${HEAD}`;
    strictEqual(removeEntry(text, "n", PLUGINS), expected);
  }
});

Deno.test("setEntry() changes source and subpath, in the quotes that stand there", () => {
  strictEqual(
    setEntry(TEXT, entry("one", "./new", "b"), PLUGINS),
    TEXT.replace("'./one'", "'./new'").replace('"a"', '"b"'),
  );
  strictEqual(
    setEntry(TEXT, entry("one", "it's"), PLUGINS),
    TEXT.replace("'./one'", '"it\'s"').replace('subpath = "a"\n', ""),
  );
  strictEqual(
    setEntry(TEXT, entry("two", "./two", "c"), PLUGINS),
    TEXT.replace('"./two"\n', '"./two"\nsubpath = "c"\n'),
  );
  const inline = setEntry(TEXT, entry("s2", "./s2", "d"), SKILLS);
  strictEqual(inline, TEXT.replace("'./s2' }", "'./s2', subpath = \"d\" }"));
  strictEqual(setEntry(inline, entry("s2"), SKILLS), TEXT);
});

Deno.test("edits keep CRLF, a byte order mark and one line break at the end", () => {
  const before = "\ufeff" + TEXT.replaceAll("\n", "\r\n");
  for (
    const [was, after] of [
      [TEXT, addEntry(before, entry("three"), PLUGINS)],
      [TEXT, addEntry(before, entry("s3"), SKILLS)],
      [TEXT, removeEntry(before, "one", PLUGINS)],
      [TEXT, removeEntry(before, "s1", SKILLS)],
      [TEXT, setEntry(before, entry("two", "./two", "c"), PLUGINS)],
    ]
  ) {
    strictEqual(after!.startsWith("\ufeff# head\r\n"), true, was);
    strictEqual(/[^\r]\n/.test(after!), false, after);
    strictEqual(after!.endsWith("\r\n") && !after!.endsWith("\n\r\n"), true);
  }
});

Deno.test("addEntry() adds to the manifest that a new environment gets", () => {
  for (const bare of [true, false]) {
    const text = newManifest("x" as never, { bare, sandbox: !bare });
    const after = addEntry(text, entry("n"), PLUGINS);
    strictEqual(after, `${text}\n${BLOCK}`);
    strictEqual(removeEntry(after, "n", PLUGINS), text);
  }
});

Deno.test("addEntry() refuses a name that is declared, in any case, and one that cannot be", () => {
  throws(
    () => addEntry(TEXT, entry("ONE" as never), PLUGINS),
    /^AppError: Cannot add plugin "ONE": "m" declares it already$/,
  );
  const bad = { ...entry("a"), subpath: "../b" };
  throws(() => addEntry(TEXT, bad, PLUGINS), /the subpath "..\/b" is not/);
  throws(() => addEntry("[env", entry("a"), PLUGINS), /line 1, column/);
});

Deno.test("removeEntry() and setEntry() name what they do not find", () => {
  throws(() => removeEntry(TEXT, "tow", PLUGINS), (error: unknown) => {
    ok(error instanceof AppError);
    strictEqual(error.code, "ITEM_NOT_FOUND");
    strictEqual(
      error.message,
      'Cannot find plugin "tow": "m" does not declare it',
    );
    strictEqual(error.hint, 'Did you mean "two"?');
    return true;
  });
  throws(() => setEntry(TEXT, entry("one"), SKILLS), /Cannot find skill "one"/);
});

Deno.test("addEntry() says what to paste when the change cannot be made", () => {
  // Nobody writes it so, but it is valid.
  const text = `"plugins" . 'enabled' = [ ]\n${HEAD}`;
  ok(addEntry(text, entry("n"), PLUGINS).includes(`= [${ONE}]`));
  const edit = () =>
    editToml("a = { b.c = 1, d = 2 }\n", (document) => {
      delete (document["a"] as { b?: unknown }).b;
    }, { file: "m", code: "MANIFEST_INVALID", hint: "Paste this:\nx" });
  throws(edit, (error: unknown) => {
    ok(error instanceof AppError);
    ok(error.message.startsWith('Cannot edit "m": '), error.message);
    strictEqual(error.hint, "Paste this:\nx");
    return true;
  });
});

/** Nothing is typed in a document. */
// deno-lint-ignore no-explicit-any
type Any = any;

Deno.test("editManifest() changes values and keeps the rest to the byte", () => {
  const after = editManifest(TEXT, (document: Any) => {
    document.env.name = "y";
    document.vars.B = "2";
  }, { file: "m" });
  strictEqual(after, TEXT.replace('"x"', '"y"') + 'B = "2"\n');
  deepStrictEqual(parseManifest(after, "m").vars, { A: "1", B: "2" });
});

Deno.test("editManifest() refuses a change that makes the manifest invalid", () => {
  const edit = () =>
    editManifest(TEXT, (document: Any) => {
      document.env.isolation = "none";
    }, { file: "m" });
  throws(edit, /line 4, column 1: env.isolation is "none"/);
});

Deno.test("editManifest() puts what is new where it belongs", () => {
  const cases: readonly (readonly [string, (document: Any) => void, string])[] =
    [
      [
        "[env]\nname = 'x'\n\n[mcp.a]\ncommand = 'c'\n\n# v\n[vars]\n",
        (document) => document.mcp.b = { command: "d", env: { A: "1" } },
        "[env]\nname = 'x'\n\n[mcp.a]\ncommand = 'c'\n\n" +
        '[mcp.b]\ncommand = "d"\nenv = { A = "1" }\n\n# v\n[vars]\n',
      ],
      [
        HEAD,
        (document) => document.mcp = { "b.c": { command: "d" } },
        HEAD + '\n[mcp."b.c"]\ncommand = "d"\n',
      ],
      [
        '# top\n\n# env\n[env]\nname = "x"\n',
        (document) => document.aenv_schema_version = "2",
        '# top\n\naenv_schema_version = "2"\n\n# env\n[env]\nname = "x"\n',
      ],
      [
        'env.name = "x"\n[vars]\n',
        (document) => document.env.description = "d",
        'env.name = "x"\nenv.description = "d"\n[vars]\n',
      ],
      [
        'env = { name = "x" }\n',
        (document) => document.env.compat = { claude: ">=2" },
        'env = { name = "x", compat = { claude = ">=2" } }\n',
      ],
      [
        HEAD + "  [sandbox] # s\n  # none\n",
        (document) => document.sandbox.paths = ["/a:ro"],
        HEAD + '  [sandbox] # s\n  paths = ["/a:ro"]\n  # none\n',
      ],
      [
        HEAD + "[secrets.A]\ntools = ['npm']\n",
        (document) => document.secrets.expose = "env",
        HEAD + "[secrets.A]\ntools = ['npm']\n\n[secrets]\nexpose = \"env\"\n",
      ],
      [
        HEAD + "[secrets.A]\ntools = [\n  'npm', # n\n  'git', # g\n]\n",
        (document) => document.secrets.A.tools = [],
        HEAD + "[secrets.A]\ntools = [\n]\n",
      ],
      [
        HEAD + "[hooks]\n# why\npre_activate = '''\na\nb''' # c\n",
        (document) => delete document.hooks,
        HEAD + "# why\n",
      ],
    ];
  for (const [before, edit, after] of cases) {
    strictEqual(editManifest(before, edit, { file: "m" }), after);
  }
});

Deno.test("editToml() makes the first key of an empty document", () => {
  strictEqual(
    editToml("", (document) => document["k"] = "v", {
      file: "c",
      code: "CONFIG_INVALID",
    }),
    'k = "v"\n',
  );
});
