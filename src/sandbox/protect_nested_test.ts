import { deepEqual } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { runUnprivileged } from "../../tests/support/unprivileged.ts";

const MODULE = new URL("protect_nested.ts", import.meta.url).href;

Deno.test("a directory that a session closed is found: git runs what is in it for who enters it", async () => {
  using temp = new TempDir("aenv-nested-");
  const script = `
    const { lookForNested } = await import(${JSON.stringify(MODULE)});
    const project = Deno.args[0];
    for (const dir of ["was", "is/.git/hooks", "open"]) {
      Deno.mkdirSync(project + "/" + dir, { recursive: true });
    }
    Deno.mkdirSync(project + "/now");
    Deno.chmodSync(project + "/was", 0o300);
    const at = Date.now() + 40;
    while (Date.now() < at) Deno.writeTextFileSync(project + "/tick", "");
    const since = (Date.now() - 15) * 1000;
    Deno.chmodSync(project + "/now", 0o300);
    Deno.chmodSync(project + "/is/.git/hooks", 0o300);
    const found = lookForNested({ project, watched: [], since }).changes;
    for (const dir of ["was", "now", "is/.git/hooks"]) {
      Deno.chmodSync(project + "/" + dir, 0o700);
    }
    console.log(JSON.stringify(found.map(({ path }) => path)));
  `;
  const output = await runUnprivileged(script, temp.path, [temp.path]);
  deepEqual(
    JSON.parse(output),
    ["is/.git/hooks", "now"].map((name) => `${temp.path}/${name}`),
  );
});
