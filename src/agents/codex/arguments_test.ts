import { deepStrictEqual, doesNotThrow, throws } from "node:assert/strict";
import fc from "fast-check";
import { parse } from "smol-toml";
import type { AbsPath } from "../../base/paths.ts";
import { checkArguments, launchArguments } from "./arguments.ts";
import { inlineToml } from "./inline_toml.ts";

const NONE = {
  confined: false,
  project: "/work/a b.c" as AbsPath,
  trust: undefined,
  servers: {},
  hiddenSkills: [],
  ownSkills: [],
};

Deno.test("launchArguments() answers the question for trust, and adds servers and hidden skills", () => {
  deepStrictEqual(launchArguments(NONE), []);
  const args = launchArguments({
    ...NONE,
    trust: "trusted",
    servers: { gh: { command: 'a "b"' } },
    hiddenSkills: ["/home/x/SKILL.md" as AbsPath],
    ownSkills: [{ path: "/mine", enabled: false }],
  });
  deepStrictEqual(args, [
    "-c",
    'projects={"/work/a b.c"={"trust_level"="trusted"}}',
    "-c",
    'mcp_servers={"gh"={"command"="a \\"b\\""}}',
    "-c",
    'skills.config=[{"path"="/mine","enabled"=false},{"path"="/home/x/SKILL.md","enabled"=false}]',
  ]);
});

Deno.test("launchArguments() switches Codex's own sandbox off inside ours", () => {
  const args = launchArguments({ ...NONE, confined: true });
  deepStrictEqual(args, ["-c", 'sandbox_mode="danger-full-access"']);
});

Deno.test("checkArguments() refuses a second sandbox, however it is written", () => {
  const refused = [
    ["-s", "read-only"],
    ["exec", "--sandbox", "workspace-write", "hi"],
    ["--sandbox=read-only"],
    ["-s=workspace-write"],
    ["exec", "--full-auto"],
    ["--approve-for-me"],
    ["-c", "sandbox_mode=read-only"],
    ["--config", 'sandbox_mode = "workspace-write"'],
    ["--config=sandbox_mode=read-only"],
    ["-s"],
    ["-sread-only"],
    ["exec", "-sworkspace-write", "hi"],
    ["-csandbox_mode=read-only"],
    ["-c= sandbox_mode = read-only"],
    ["-c", "sandbox_mode"],
    ["-c", " sandbox_mode = 'read-only'"],
    ["-c", 'sandbox_mode="read-only" # danger-full-access'],
    ["-c", 'default_permissions=":workspace"'],
    ["--config=default_permissions=danger-full-access"],
    ["sandbox", "--", "ls"],
  ];
  for (const args of refused) {
    throws(() => checkArguments(args), /its own sandbox/, args.join(" "));
  }
  const accepted = [
    ["-s", "danger-full-access"],
    ["--sandbox=danger-full-access"],
    ["--dangerously-bypass-approvals-and-sandbox"],
    ["-c", 'sandbox_mode="danger-full-access"'],
    ["-sdanger-full-access"],
    ["-c", "sandbox_mode = danger-full-access"],
    ["-csandbox_mode='danger-full-access'"],
    ["-c", 'default_permissions=":danger-full-access"'],
    ["-c", "model=sandbox_mode"],
    ["-c", "sandbox_workspace_write.network_access=true"],
    ["-a", "on-request"],
    ["exec", "sandbox"],
    ["exec", "--", "-s", "read-only"],
    ["exec", "what does --full-auto do?"],
  ];
  for (const args of accepted) {
    doesNotThrow(() => checkArguments(args), args.join(" "));
  }
});

Deno.test("inlineToml() writes what a TOML parser reads back", () => {
  const text = fc.string({ unit: "binary" });
  const leaf = fc.oneof(text, fc.boolean(), fc.integer());
  const value = fc.dictionary(
    text,
    fc.oneof(leaf, fc.array(leaf), fc.dictionary(text, leaf)),
  );
  fc.assert(fc.property(value, (table) => {
    const read = parse(`v=${inlineToml(table)}`)["v"];
    deepStrictEqual(plain(read), plain(table));
  }));
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
