import { deepEqual, equal } from "node:assert/strict";
import { dirname } from "node:path";
import type { AbsPath } from "../base/paths.ts";
import { snapshotUserConfig } from "./snapshot.ts";

function write(path: string, text: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.writeTextFileSync(path, text);
}

function filesBelow(root: string, prefix = ""): string[] {
  return [...Deno.readDirSync(root + prefix)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(root, `${prefix}/${name}`) : [`${prefix}/${name}`]
  ).sort();
}

Deno.test("snapshotUserConfig() copies configuration, follows links, and takes no login and no session along", () => {
  const root = Deno.makeTempDirSync() as AbsPath;
  try {
    const dir = `${root}/user` as AbsPath;
    write(`${dir}/CLAUDE.md`, "memory");
    write(`${dir}/.credentials.json`, "SECRET");
    write(`${dir}/history.jsonl`, "SECRET");
    write(`${dir}/projects/p/1.jsonl`, "SECRET");
    write(`${dir}/projects/p/memory/MEMORY.md`, "remembered");
    write(`${dir}/skills/s/node_modules/x.js`, "big");
    write(`${root}/dotfiles/SKILL.md`, "linked");
    Deno.symlinkSync(`${root}/dotfiles`, `${dir}/skills/linked`);
    Deno.symlinkSync(`${dir}/skills`, `${dir}/skills/loop`);
    const stateFile = `${root}/state.json` as AbsPath;
    const state = { mcpServers: { m: {} }, oauthAccount: "SECRET" };
    write(stateFile, JSON.stringify({ ...state, primaryApiKey: "SECRET" }));
    const target = `${root}/copy` as AbsPath;
    snapshotUserConfig(
      { dir, stateFile, explicit: false, loginDir: dir },
      target,
    );
    const files = filesBelow(target).filter((f) => !f.includes("/loop/"));
    deepEqual(files, [
      "/.claude.json",
      "/CLAUDE.md",
      "/projects/p/memory/MEMORY.md",
      "/skills/linked/SKILL.md",
    ]);
    const texts = files.map((file) => Deno.readTextFileSync(target + file));
    equal(texts.join("").includes("SECRET"), false);
    deepEqual(JSON.parse(texts[0]!), { mcpServers: { m: {} } });
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
