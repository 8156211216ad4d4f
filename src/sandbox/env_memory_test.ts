import assert from "node:assert/strict";
import fc from "fast-check";
import { filterVariables } from "./env_filter.ts";
import { rememberedPassing } from "./env_memory.ts";
import { rememberVariables } from "./env_memory_make.ts";

type Variables = Readonly<Record<string, string>>;

const NAMES = [
  ...["PATH", "HOME", "LANG", "CFLAGS", "LD_PRELOAD", "GITHUB_TOKEN", "FOO"],
  ...["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_EXTRA_TOKEN"],
  ...["HTTPS_PROXY", "MY_VAR", "MY_SECRET", "CLAUDE_CODE_SKIP_BEDROCK_AUTH"],
  ...["GIT_DIR", "a-b", "SSH_AUTH_SOCK", "CLAUDE_CODE_SESSION_ID"],
];
const VALUES = [
  ...["", "1", "true", "12345678", "/usr/bin:/bin", "plain words", "${REF}"],
  ...["ghp_0123456789012345678901234567890123456789", "a\nb"],
  ...["https://user:password@host.example/", "Bearer 0123456789abcdef"],
  ...["sk-ant-0123456789", "https://0123456789abcdefgh@host.example"],
];

function decide(variables: Variables) {
  return filterVariables({
    ...{ variables, envHost: ["MY_*"], agent: "claude", network: "open" },
    agentAccepts: (name) => name !== "CLAUDE_CODE_SESSION_ID",
  });
}

function passing(variables: Variables): Record<string, string> {
  return Object.fromEntries(
    decide(variables).filter(({ passes }) => passes).map(({ name }) => [
      name,
      variables[name]!,
    ]),
  );
}

const environments = fc.dictionary(
  fc.constantFrom(...NAMES),
  fc.constantFrom(...VALUES),
  { noNullPrototype: true },
);

Deno.test("rememberedPassing() gives what the filter gives, or nothing", () => {
  let [answers, others] = [0, 0];
  fc.assert(
    fc.property(environments, fc.infiniteStream(fc.constantFrom(...VALUES)), (
      before,
      values,
    ) => {
      const known = rememberVariables(before, decide);
      if (known === undefined) return;
      const same = rememberedPassing(known, before);
      if (same !== undefined) assert.deepEqual(same, passing(before));
      const after: Record<string, string> = {};
      for (const name of Object.keys(before).reverse()) {
        after[name] = values.next().value!;
      }
      const found = rememberedPassing(known, after);
      others += 1;
      if (found === undefined) return;
      answers += 1;
      assert.deepEqual(found, passing(after));
    }),
    { numRuns: 3000 },
  );
  // It is of use.
  assert.ok(answers > 100 && answers < others, `${answers} of ${others}`);
});

Deno.test("rememberedPassing() has no answer for other names", () => {
  const known = rememberVariables({ PATH: "/bin", HOME: "/root" }, decide)!;
  const here = { HOME: "/home/me", PATH: "/usr/bin" };
  assert.deepEqual(rememberedPassing(known, here), here);
  const others: Variables[] = [
    { PATH: "/bin" },
    { ...here, FOO: "" },
    { PATH: "/bin", HOMES: "/root" },
  ];
  for (const other of others) {
    assert.equal(rememberedPassing(known, other), undefined);
  }
  const damaged = { ...known, codes: "11v" };
  assert.equal(rememberedPassing(damaged, here), undefined);
  assert.equal(rememberedPassing({ ...known, codes: "1?" }, here), undefined);
});

Deno.test("rememberVariables() keeps no decision that rests on a value of another kind", () => {
  const token = "ghp_0123456789012345678901234567890123456789";
  assert.equal(rememberVariables({ CFLAGS: token }, decide), undefined);
  const byName = rememberVariables({ GITHUB_TOKEN: token }, decide);
  assert.deepEqual(byName, { names: ["GITHUB_TOKEN"], codes: "0" });
  const setting = { CLAUDE_CODE_SKIP_BEDROCK_AUTH: "1" };
  assert.equal(rememberVariables(setting, decide)?.codes, "s");
});
