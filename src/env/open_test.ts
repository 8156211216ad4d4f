import {
  deepStrictEqual,
  notStrictEqual,
  strictEqual,
  throws,
} from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { type Dirs, dirsAt } from "../base/dirs.ts";
import { parseEnvName } from "../base/ids.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { type Host, hostWith } from "../os/host.ts";
import { openEnv, openNamed, projectSlotName } from "./open.ts";

const MANIFEST = '[env]\nname = "review"\n';

/** Calls `body` with a home, a project directory and a host. */
function inWorld(body: (root: AbsPath, dirs: Dirs, host: Host) => void): void {
  using temp = new TempDir();
  const root = temp.path as AbsPath;
  Deno.mkdirSync(join(root, "home", "envs"), { recursive: true });
  Deno.mkdirSync(join(root, "p"));
  const host = hostWith({ env: {}, uid: Deno.uid() ?? undefined });
  body(root, dirsAt(join(root, "home")), host);
}

function makeEnv(dirs: Dirs, name: string, text = MANIFEST): AbsPath {
  const slot = join(dirs.envs, name);
  Deno.mkdirSync(slot);
  Deno.writeTextFileSync(join(slot, "aenv.toml"), text);
  return slot;
}

function openProject(manifest: AbsPath, dirs: Dirs, host: Host) {
  const env = openEnv({ kind: "project", manifest }, host, dirs);
  if (env.kind !== "env") throw new Error("not an env");
  return env;
}

Deno.test("openNamed() goes by the directory's name, whatever the manifest says", () => {
  inWorld((_, dirs) => {
    const slot = makeEnv(dirs, "other");
    const env = openNamed(parseEnvName("other"), dirs);
    deepStrictEqual(
      [env.label, env.slotName, env.scope, env.breadcrumb, env.baseDir],
      ["other", "other", "named", "other", slot],
    );
    strictEqual(env.manifest.name, "review");
  });
});

Deno.test("openNamed() says what is wrong with an env that cannot be opened", () => {
  inWorld((_, dirs) => {
    const open = (name: string) => () => openNamed(parseEnvName(name), dirs);
    throws(open("none"), { code: "ENV_NOT_FOUND", hint: /aenv new none/ });
    Deno.writeTextFileSync(join(dirs.envs, "file"), "");
    throws(open("file"), { code: "ENV_BROKEN", message: /not a directory/ });
    Deno.symlinkSync("elsewhere", join(dirs.envs, "link"));
    throws(open("link"), { code: "ENV_BROKEN", message: /not a directory/ });
    Deno.mkdirSync(join(dirs.envs, "empty"));
    throws(open("empty"), {
      code: "ENV_BROKEN",
      message: /it has no aenv.toml/,
      hint: /aenv remove empty --force/,
    });
    Deno.mkdirSync(join(dirs.envs, "dir", "aenv.toml"), { recursive: true });
    throws(open("dir"), { code: "IO", message: /it is a directory/ });
    makeEnv(dirs, "bad", "[env]\nnam = 1\n");
    throws(open("bad"), {
      code: "MANIFEST_INVALID",
      message: /line 2, column 1/,
    });
    const slot = makeEnv(dirs, "slot-12345678");
    Deno.writeTextFileSync(join(slot, "project"), "/p/aenv.toml\n");
    throws(open("slot-12345678"), {
      code: "ENV_NOT_FOUND",
      message: /the slot of a project/,
    });
  });
});

Deno.test("openEnv() opens a project by its real path, so that every way in has one slot", () => {
  inWorld((root, dirs, host) => {
    Deno.writeTextFileSync(join(root, "p", "aenv.toml"), MANIFEST);
    Deno.symlinkSync("p", join(root, "link"));
    const direct = openProject(join(root, "p", "aenv.toml"), dirs, host);
    const linked = openProject(join(root, "link", "aenv.toml"), dirs, host);
    deepStrictEqual(linked, direct);
    strictEqual(direct.breadcrumb, join(root, "p", "aenv.toml"));
    strictEqual(
      direct.slotName,
      projectSlotName(parseEnvName("review"), join(root, "p")),
    );
    strictEqual(direct.label, "review");
  });
});

Deno.test("openEnv() writes nothing", () => {
  inWorld((root, dirs, host) => {
    Deno.writeTextFileSync(join(root, "p", "aenv.toml"), MANIFEST);
    openProject(join(root, "p", "aenv.toml"), dirs, host);
    deepStrictEqual([...Deno.readDirSync(dirs.envs)], []);
    deepStrictEqual([...Deno.readDirSync(join(root, "p"))].length, 1);
  });
});

Deno.test("openEnv() says that a project's manifest is gone, and how to unset a variable that names it", () => {
  inWorld((root, dirs) => {
    const manifest = join(root, "p", "aenv.toml");
    const open = (env: Record<string, string>) => () =>
      openProject(manifest, dirs, hostWith({ env }));
    throws(open({}), { code: "ENV_NOT_FOUND", hint: undefined });
    throws(open({ AENV: manifest }), { hint: /unset AENV/ });
    throws(open({ AENV_OVERRIDE: manifest }), { hint: /unset AENV/ });
  });
});

Deno.test("openEnv() refuses a manifest that everybody can write", () => {
  inWorld((root, dirs, host) => {
    const manifest = join(root, "p", "aenv.toml");
    Deno.writeTextFileSync(manifest, MANIFEST);
    Deno.chmodSync(manifest, 0o666);
    throws(() => openProject(manifest, dirs, host), {
      code: "MANIFEST_UNTRUSTED",
      message: /everybody can write it/,
      hint: /chmod o-w/,
    });
    Deno.chmodSync(manifest, 0o664);
    openProject(manifest, dirs, host);
  });
});

Deno.test("openEnv() refuses a manifest of another user, and takes root's", () => {
  inWorld((root, dirs) => {
    const manifest = join(root, "p", "aenv.toml");
    Deno.writeTextFileSync(manifest, MANIFEST);
    const owner = Deno.statSync(manifest).uid ?? 0;
    const open = () =>
      openProject(manifest, dirs, hostWith({ env: {}, uid: owner + 1 }));
    if (owner === 0) {
      open();
    } else {
      throws(open, { code: "MANIFEST_UNTRUSTED", message: /another user/ });
    }
  });
});

Deno.test("openEnv() opens global without looking at anything", () => {
  const host = hostWith({ env: {} });
  const dirs = dirsAt("/no/such" as AbsPath);
  deepStrictEqual(openEnv({ kind: "global" }, host, dirs), {
    kind: "global",
    label: "global",
  });
});

Deno.test("projectSlotName() is a valid name that differs by label and by path", () => {
  const long = parseEnvName("x".repeat(100));
  const slot = projectSlotName(long, "/p" as AbsPath);
  strictEqual(slot.length, 89);
  const name = parseEnvName("a");
  strictEqual(
    /^a-[0-9a-f]{8}$/.test(projectSlotName(name, "/p" as AbsPath)),
    true,
  );
  notStrictEqual(
    projectSlotName(name, "/p" as AbsPath),
    projectSlotName(name, "/q" as AbsPath),
  );
});
