import assert from "node:assert/strict";
import { slotAt } from "../base/dirs.ts";
import type { EnvName } from "../base/ids.ts";
import { type AbsPath, join } from "../base/paths.ts";
import type { OpenEnv } from "../env/mod.ts";
import { parseManifest } from "../manifest/mod.ts";
import { npmSettings } from "./trust_npm.ts";

/** A project env with one skill from `source`, and this `.npmrc`. */
function project(source: string, npmrc?: string): OpenEnv {
  const root = Deno.realPathSync(Deno.makeTempDirSync()) as AbsPath;
  if (npmrc !== undefined) Deno.writeTextFileSync(`${root}/.npmrc`, npmrc);
  const text =
    `[env]\nname = "e"\n[[skills.enabled]]\nname = "s"\nsource = "${source}"\n`;
  const manifestPath = join(root, "aenv.toml");
  return {
    kind: "env",
    scope: "project",
    label: "e" as EnvName,
    slotName: "e-12345678",
    slot: slotAt(join(root, "slot")),
    manifest: parseManifest(text, manifestPath),
    manifestText: text,
    manifestPath,
    manifestReal: manifestPath,
    baseDir: root,
    breadcrumb: manifestPath,
  };
}

const VARIABLE = "//h/:_authToken=${TOKEN}\n";

Deno.test("npmSettings() are there where packages may be fetched by settings that need trust", () => {
  for (const source of ["npm:a", "npm:@b/c@^1", "p@owner/repo"]) {
    assert.ok(npmSettings(project(source, VARIABLE)), source);
  }
  for (
    const source of ["./s", "~/s", "/s", "git+https://h/r", "https://h/a.zip"]
  ) {
    assert.equal(npmSettings(project(source, VARIABLE)), undefined, source);
  }
  const plain = "# ours\nregistry = https://h/\n@a:registry=https://i/\n";
  assert.equal(npmSettings(project("npm:a", plain)), undefined);
  assert.equal(npmSettings(project("npm:a")), undefined);
  for (const line of ["cafile=x", "[s]", "registry=https://${X}/", "proxy=x"]) {
    assert.ok(npmSettings(project("npm:a", plain + line)), line);
  }
  const named = { ...project("npm:a", VARIABLE), scope: "named" as const };
  assert.equal(npmSettings(named), undefined);
});

Deno.test("npmSettings() shows every line but no secret, and hashes all of them", () => {
  const secrets = ["abc123", "dXNlcjpwYXNz", "me", "pem"];
  const text = [
    "//h/:_authToken=abc123",
    "_auth = dXNlcjpwYXNz",
    "//h/:username=me",
    "key=pem",
    "//i/:_authToken=${TOKEN}",
    "strict-ssl=false",
  ].join("\n");
  const found = npmSettings(project("npm:a", text))!;
  const shown = found.item.lines.join("\n");
  for (const secret of secrets) {
    assert.doesNotMatch(shown, new RegExp(`=\\s*${secret}`));
  }
  assert.match(shown, /\/\/i\/:_authToken=\$\{TOKEN\}/);
  assert.match(shown, /strict-ssl=false/);
  const other = npmSettings(project("npm:a", text.replace("abc", "xyz")))!;
  assert.notEqual(other.hash, found.hash);
  assert.deepEqual(other.item, found.item);
});
