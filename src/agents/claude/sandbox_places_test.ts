import assert from "node:assert/strict";
import "../../../tests/support/open_libc.ts";
import { TempDir } from "../../../tests/support/temp.ts";
import { type AbsPath, join } from "../../base/paths.ts";
import { agentPlaces } from "./sandbox_places.ts";

/** A home with the user's own configuration. */
class Home extends TempDir {
  readonly home = this.path as AbsPath;

  file(name: string): void {
    const path = `${this.path}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, "{}");
  }

  /** `access path` of each place, and what else there is. */
  places(
    parts: Partial<Parameters<typeof agentPlaces>[0]> = {},
    login = ".claude",
  ) {
    const { places, guarded, keychain, notes } = agentPlaces({
      isolation: "private",
      os: "linux",
      configDir: join(this.home, "slot"),
      user: {
        dir: join(this.home, ".claude"),
        stateFile: join(this.home, ".claude.json"),
        explicit: false,
        loginDir: join(this.home, login),
      },
      home: this.home,
      cwd: "/w/my app" as AbsPath,
      hasLogin: false,
      ...parts,
    });
    return {
      places: places.map(({ access, path }) =>
        `${access} ${path.slice(this.home.length + 1)}`
      ),
      guarded: guarded.map(({ path }) => path.slice(this.home.length + 1)),
      keychain,
      notes: notes.length,
    };
  }
}

Deno.test("agentPlaces() of a private env are its own directory, with what steers the next session guarded", () => {
  using home = new Home();
  const { places, guarded } = home.places();
  assert.deepEqual(places, ["write slot"]);
  assert.deepEqual(guarded.slice(0, 3), [
    "slot/settings.json",
    "slot/settings.local.json",
    "slot/CLAUDE.md",
  ]);
});

Deno.test("agentPlaces() give a login that lies with settings and hooks to be read, and say that it is not renewed", () => {
  using home = new Home();
  home.file(".claude/.credentials.json");
  home.file(".claude/settings.json");
  assert.deepEqual(home.places().places, [
    "write slot",
    "read .claude/.credentials.json",
  ]);
  assert.equal(home.places().notes, 1);
});

Deno.test("agentPlaces() give a directory that holds nothing but the login as a whole, so that it can be renewed", () => {
  using home = new Home();
  for (
    const name of [
      ".credentials.json",
      ".credentials.json.tmp.12.ab",
      ".oauth_refresh.lock",
      ".storage-write.lock",
    ]
  ) home.file(`login/${name}`);
  const { places, notes } = home.places({}, "login");
  assert.deepEqual([places, notes], [["write slot", "write login"], 0]);
  home.file("login/settings.json");
  assert.deepEqual(home.places({}, "login").places, [
    "write slot",
    "read login/.credentials.json",
  ]);
});

// Guards: settings with hooks that are made beside a login, which the next session outside runs.
Deno.test("agentPlaces() do not give the user's own directory, also where it holds nothing but the login", () => {
  using home = new Home();
  home.file(".claude/.credentials.json");
  Deno.symlinkSync(`${home.path}/.claude`, `${home.path}/link`);
  for (const login of [".claude", "link"]) {
    const { places, notes } = home.places({}, login);
    assert.deepEqual([places, notes], [
      ["write slot", `read ${login}/.credentials.json`],
      1,
    ]);
  }
});

Deno.test("agentPlaces() look for no login where a variable brings one", () => {
  using home = new Home();
  home.file(".claude/.credentials.json");
  assert.deepEqual(home.places({ hasLogin: true }).places, ["write slot"]);
});

Deno.test("agentPlaces() reach the keychain on macOS alone, and only when no file holds the login", () => {
  using home = new Home();
  home.file("Library/Keychains/login.keychain-db");
  assert.equal(home.places().keychain, false);
  const mac = home.places({ os: "darwin" });
  assert.deepEqual([mac.keychain, mac.places], [
    true,
    ["write slot", "write Library/Keychains"],
  ]);
  home.file(".claude/.credentials.json");
  assert.equal(home.places({ os: "darwin" }).keychain, false);
});

Deno.test("agentPlaces() of an overlay are sessions of this project, and no settings, hooks, plugins or servers", () => {
  using home = new Home();
  for (const name of [".claude/settings.json", ".claude.json"]) home.file(name);
  const { places } = home.places({ isolation: "overlay" });
  assert.ok(places.includes("read .claude.json"));
  assert.ok(places.includes("write .claude/projects/-w-my-app"));
  assert.ok(places.includes("write .claude/sessions"));
  for (
    const name of [
      ".claude",
      ".claude/projects",
      ".claude/plugins",
      ".claude/settings.json",
      ".claude/hooks",
      ".claude/ide",
    ]
  ) assert.ok(!places.includes(`write ${name}`), name);
  // Nothing is made in a home without a configuration.
  using empty = new Home();
  assert.deepEqual(empty.places({ isolation: "overlay" }).places, []);
});
