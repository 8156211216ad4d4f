import { deepEqual } from "node:assert/strict";
import type { claude } from "../agents/mod.ts";
import type { AbsPath } from "../base/paths.ts";
import { foreignTexts } from "./requests.ts";

Deno.test("foreignTexts() takes the user's texts, but not those that are declared too", () => {
  const root = Deno.makeTempDirSync();
  try {
    const dir = `${root}/user` as AbsPath;
    Deno.mkdirSync(dir);
    Deno.writeTextFileSync(
      `${dir}/CLAUDE.md`,
      "# Short\nmine alone, nobody else's\n  shared with the env  \n",
    );
    Deno.writeTextFileSync(`${root}/own.md`, "shared with the env\n");
    Deno.writeTextFileSync(`${root}/CLAUDE.md`, "from above the project\n");
    Deno.writeTextFileSync(
      `${dir}/settings.json`,
      JSON.stringify({
        language: "Klingon",
        attribution: { commit: "written by the user", pr: "" },
      }),
    );
    const user = {
      dir,
      stateFile: `${dir}/.claude.json` as AbsPath,
      explicit: true,
      loginDir: dir,
    };
    const project = { above: [root] } as unknown as claude.ProjectFacts;
    const found = foreignTexts(user, project, {
      files: [`${root}/own.md`],
      texts: ["written by the user"],
    });
    deepEqual(found.map(({ file, text }) => [file.slice(root.length), text]), [
      ["/user/CLAUDE.md", "mine alone, nobody else's"],
      ["/CLAUDE.md", "from above the project"],
      ["/user/settings.json", "respond in Klingon."],
    ]);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
