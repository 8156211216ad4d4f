import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { SourceWorld } from "../../../tests/support/sources/context.ts";
import { writeTree } from "../../../tests/support/sources/trees.ts";
import { npmRegistryUrls } from "./registry_urls.ts";

Deno.test("npmRegistryUrls() says what the user's settings say, whatever the project asks for", () => {
  using world = new SourceWorld();
  writeTree(world.root, {
    "home/.npmrc":
      "registry=https://mirror.test/\n@acme:registry=https://acme.test/npm/\n",
    "project/.npmrc": "registry=http://127.0.0.1:6379/\n",
  });
  const { host } = world.context();
  deepStrictEqual(npmRegistryUrls(host), [
    "https://mirror.test/",
    "https://acme.test/npm/",
  ]);
});

Deno.test("npmRegistryUrls() gives npm's own default where nobody has set one", () => {
  using world = new SourceWorld();
  const { host } = world.context({ env: { PATH: world.dir("bin") } });
  const [url, ...rest] = npmRegistryUrls(host);
  strictEqual(new URL(url!).protocol, "https:");
  deepStrictEqual(rest, []);
});
