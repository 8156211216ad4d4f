import { deepStrictEqual } from "node:assert/strict";
import type { AbsPath } from "../base/paths.ts";
import { localSourcePath } from "./local_source.ts";

Deno.test("localSourcePath() knows paths from everything that is fetched", () => {
  const places = {
    baseDir: "/base" as AbsPath,
    home: () => "/home/u" as AbsPath,
  };
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["./p", "/base/p"],
    ["p", "/base/p"],
    ["../p", "/p"],
    ["/a/p", "/a/p"],
    ["~/p", "/home/u/p"],
    ["file:./p", "/base/p"],
    ["file:///a/with%20space", "/a/with space"],
    ["file:///a/100%", "/a/100%"],
    ["npm:x@1", undefined],
    ["git+https://host/x#v1", undefined],
    ["review@acme/plugins", undefined],
  ];
  const seen = cases.map(([source]) => [
    source,
    localSourcePath(source, places),
  ]);
  deepStrictEqual(seen, cases);
});
