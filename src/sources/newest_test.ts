import { deepStrictEqual } from "node:assert/strict";
import { newestSpec } from "./newest.ts";
import { parseSource } from "./parse.ts";

Deno.test("newestSpec() takes away what limits a source, and only that", () => {
  const cases: [source: string, newest: string][] = [
    ["npm:@a/b@^1", "npm:@a/b"],
    ["npm:b@next", "npm:b"],
    ["git+https://h/r#v1.2.3", "git+https://h/r#semver:*"],
    ["git+https://h/r#refs/tags/1.2.3", "git+https://h/r#semver:*"],
    ["git+https://h/r#semver:^1", "git+https://h/r#semver:*"],
    [`git+https://h/r#${"a".repeat(40)}`, "git+https://h/r"],
    ["git+https://h/r#main", "git+https://h/r#main"],
    ["git+https://h/r#v2", "git+https://h/r#v2"],
    ["git+https://h/r", "git+https://h/r"],
    ["p@owner/repo#v1.0.0", "p@git+https://github.com/owner/repo.git#semver:*"],
    ["https://h/x.tgz", "https://h/x.tgz"],
    ["./x", "./x"],
    ["p@./market", "p@./market"],
  ];
  for (const [source, newest] of cases) {
    deepStrictEqual(
      newestSpec(parseSource(source)),
      parseSource(newest),
      source,
    );
  }
});
