import assert from "node:assert/strict";
import type { AbsPath } from "../../base/paths.ts";
import { TempDir } from "../../../tests/support/temp.ts";
import { packageUrls } from "./package_hosts.ts";

/** A home and programs of one test. Use with `using`. */
class Machine implements Disposable {
  readonly #temp = new TempDir();
  env: Record<string, string> = {};

  path(name: string): AbsPath {
    return `${this.#temp.path}/${name}` as AbsPath;
  }

  write(name: string, text: string): void {
    const path = this.path(name);
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, text, { mode: 0o755 });
  }

  ask(
    preset: "@pypi" | "@crates" | "@go",
    writable: readonly string[] = [],
  ): Promise<string[]> {
    const env = { PATH: this.path("bin"), ...this.env };
    return packageUrls(preset, {
      host: { env, home: () => this.path("home") },
      writable: writable.map((name) => this.path(name)),
    });
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }
}

Deno.test("packageUrls() asks go for its proxies and its database, and leaves words out", async () => {
  using machine = new Machine();
  machine.write(
    "bin/go",
    `#!/bin/sh
[ "$(pwd)" = / ] && [ "$GOTOOLCHAIN" = local ] || exit 1
echo 'https://proxy.test,http://other.test/go|direct'
echo 'sum.test+key'
`,
  );
  assert.deepEqual(await machine.ask("@go"), [
    "https://proxy.test",
    "http://other.test/go",
    "https://sum.test",
  ]);
});

Deno.test("packageUrls() knows nothing where the program is missing or fails", async () => {
  using machine = new Machine();
  assert.deepEqual(await machine.ask("@go"), []);
  assert.deepEqual(await machine.ask("@pypi"), []);
  assert.deepEqual(await machine.ask("@crates"), []);
  machine.write("bin/python3", "#!/bin/sh\nexit 1\n");
  assert.deepEqual(await machine.ask("@pypi"), []);
});

Deno.test("packageUrls() gives what pip and uv were told to use", async () => {
  using machine = new Machine();
  machine.write(
    "bin/python3",
    `#!/bin/sh
echo '["https://index.test/simple", "file:///wheels", "https://extra.test/"]'
`,
  );
  machine.env = { UV_DEFAULT_INDEX: "https://uv.test/simple" };
  assert.deepEqual(await machine.ask("@pypi"), [
    "https://uv.test/simple",
    "https://index.test/simple",
    "https://extra.test/",
  ]);
});

Deno.test("packageUrls() runs nothing that a sandbox could have written", async () => {
  using machine = new Machine();
  const script = "#!/bin/sh\necho https://evil.test\necho off\n";
  machine.write("project/bin/go", script);
  machine.write("tools/go", "#!/bin/sh\necho https://good.test\necho off\n");
  const dirs = ["project/bin", "tools"].map((name) => machine.path(name));
  machine.env = { PATH: dirs.join(":") };
  assert.deepEqual(await machine.ask("@go", ["project"]), [
    "https://good.test",
  ]);
  // Nor where only a link stands outside.
  machine.write("links/x", "");
  Deno.symlinkSync(machine.path("project/bin/go"), machine.path("links/go"));
  machine.env = { PATH: [machine.path("links"), ...dirs.slice(1)].join(":") };
  assert.deepEqual(await machine.ask("@go", ["project"]), [
    "https://good.test",
  ]);
});

Deno.test("packageUrls() reads cargo's settings and what it has used, but nothing that a sandbox may write", async () => {
  using machine = new Machine();
  machine.env = { CARGO_REGISTRIES_ACME_INDEX: "sparse+https://acme.test/" };
  machine.write(
    "home/.cargo/config.toml",
    '[source.mirror]\nregistry = "sparse+https://mirror.test/index/"\n',
  );
  const index = "home/.cargo/registry/index/index.used.test-0123456789abcdef";
  machine.write(
    `${index}/config.json`,
    '{"dl": "https://files.used.test/crates", "api": "https://used.test"}',
  );
  const settings = ["https://acme.test/", "https://mirror.test/index/"];
  assert.deepEqual(await machine.ask("@crates"), [
    ...settings,
    "https://index.used.test",
    "https://files.used.test/crates",
    "https://used.test",
  ]);
  const cache = "home/.cargo/registry";
  assert.deepEqual(await machine.ask("@crates", [cache]), settings);
});

Deno.test("packageUrls() lets cargo ask its own default, in a home of its own, when nothing else is known", async () => {
  using machine = new Machine();
  machine.write(
    "bin/cargo",
    `#!/bin/sh
[ "$1" = search ] && [ "$(pwd)" = / ] || exit 1
/bin/grep -q 'proxy = "p:1"' "$CARGO_HOME/config.toml" || exit 1
/bin/mkdir -p "$CARGO_HOME/registry/index/index.own.test-0123456789abcdef"
echo '{"dl":"https://files.own.test/c","api":"https://own.test"}' \\
  > "$CARGO_HOME/registry/index/index.own.test-0123456789abcdef/config.json"
`,
  );
  machine.write("home/.cargo/config.toml", '[http]\nproxy = "p:1"\n');
  machine.write("temp/x", "");
  machine.env = { TMPDIR: machine.path("temp") };
  // What was there before could be a sandbox's.
  machine.write(
    "home/.cargo/registry/index/evil.test-0123456789abcdef/config.json",
    '{"dl":"https://evil.test"}',
  );
  assert.deepEqual(await machine.ask("@crates", ["home/.cargo/registry"]), [
    "https://index.own.test",
    "https://files.own.test/c",
    "https://own.test",
  ]);
  const left = [...Deno.readDirSync(machine.path("temp"))];
  assert.deepEqual(left.map(({ name }) => name), ["x"]);
  // Nor is it asked where a sandbox could answer.
  assert.deepEqual(
    await machine.ask("@crates", ["home/.cargo/registry", "temp"]),
    [],
  );
});
