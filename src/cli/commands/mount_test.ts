import assert from "node:assert/strict";
import { CommandHome } from "../../../tests/support/command_home.ts";
import { add, list, rm } from "./mount.ts";

const MANIFEST = [
  'aenv_schema_version = "2"',
  "",
  "[env]",
  'name = "e"',
  "",
  "[sandbox] # what it may touch",
  "enabled = true",
  "paths = [",
  '  "~/data:ro", # numbers',
  "]",
  "",
].join("\n");

function line(text: string): string | undefined {
  return text.split("\n").find((line) => line.startsWith("granted"));
}

Deno.test("mount add puts a line into the manifest, read-only unless it says so, and keeps the rest as it was", async () => {
  using home = new CommandHome(MANIFEST);
  const outcome = await home.run(add, `${home.path}/shared`);
  assert.equal(line(outcome.text()), `granted ${home.path}/shared:ro`);
  assert.equal(
    home.manifest(),
    MANIFEST.replace(
      "# numbers\n",
      `# numbers\n  "${home.path}/shared:ro",\n`,
    ),
  );
  assert.deepEqual(home.notices, []);
});

Deno.test("mount add changes how a path may be used, and writes nothing that is there already", async () => {
  using home = new CommandHome(MANIFEST);
  const changed = await home.run(add, `${home.path}/home/data:rw`);
  assert.equal(
    line(changed.text()),
    "granted ~/data:rw in the place of ~/data:ro",
  );
  const text = home.manifest();
  assert.ok(text.includes('"~/data:rw"'));
  const again = await home.run(add, "~/data:rw");
  assert.equal(again.text(), "~/data:rw was granted already");
  assert.equal(home.manifest(), text);
});

Deno.test("mount add in a project writes a relative path from where the manifest is", async () => {
  using home = new CommandHome(MANIFEST).inRepo("sub");
  const outcome = await home.run(add, "../../shared:rw");
  assert.equal(line(outcome.text()), "granted ../shared:rw");
  assert.ok(home.manifest("repo").includes('"../shared:rw"'));
});

Deno.test("mount add refuses what the sandbox would refuse, and leaves the manifest alone", async () => {
  using home = new CommandHome(MANIFEST);
  for (const path of ["~", "~:rw", "/", "~/.aenv", "/usr:rw", "/tmp:rw"]) {
    await assert.rejects(
      () => home.run(add, path),
      (error: { code?: string }) => error.code === "SANDBOX_REFUSED",
      path,
    );
  }
  assert.equal(home.manifest(), MANIFEST);
});

Deno.test("mount add says when nothing is there, and when nothing is confined", async () => {
  using home = new CommandHome('[env]\nname = "e"\n');
  await home.run(add, "~/missing");
  assert.deepEqual(home.notices, [
    "aenv: nothing is there yet: it is left out",
    "aenv: the sandbox of environment e is off: nothing is confined to this",
  ]);
  assert.match(home.manifest(), /\[sandbox\]\npaths = \[\s*"~\/missing:ro"/);
});

Deno.test("mount rm takes a path out however it is written, and names what is not there", async () => {
  using home = new CommandHome(MANIFEST);
  await home.run(add, "/etc/hosts:ro");
  const outcome = await home.run(rm, `${home.path}/home/data`);
  assert.match(outcome.text(), /^no longer granted: ~\/data:ro/);
  assert.ok(!home.manifest().includes("~/data"));
  assert.ok(home.manifest().includes("/etc/hosts:ro"));
  await assert.rejects(
    () => home.run(rm, "/etc/hosts:rw"),
    (error: { code?: string }) => error.code === "ITEM_NOT_FOUND",
  );
});

Deno.test("mount list shows what each line gives here", async () => {
  using home = new CommandHome(
    MANIFEST.replace('"~/data:ro"', '"~/data:ro", "~/x:rw", "~:ro"'),
  );
  const outcome = await home.run(list);
  assert.equal(
    outcome.text(),
    [
      `ro  ~/data  (${home.path}/home/data)`,
      "rw  ~/x  (nothing is there)",
      "ro  ~  (refused: it is your home directory)",
    ].join("\n"),
  );
  assert.deepEqual(outcome.data, [
    {
      path: "~/data",
      access: "ro",
      paths: [`${home.path}/home/data`],
      refusal: null,
    },
    { path: "~/x", access: "rw", paths: [], refusal: null },
    {
      path: "~",
      access: "ro",
      paths: [`${home.path}/home`],
      refusal: "it is your home directory",
    },
  ]);
});
