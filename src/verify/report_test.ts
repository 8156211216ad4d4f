import { equal } from "node:assert/strict";
import { renderReport } from "./report.ts";
import type { Report, Row } from "./types.ts";

const OK: Row = {
  kind: "plugin",
  item: "review",
  from: "manifest",
  declared: true,
  seen: true,
  status: "ok",
};

const EQUAL: Report = {
  env: "work",
  agent: "claude",
  version: "9.9.9",
  ok: true,
  rows: [OK, {
    ...OK,
    kind: "hook",
    item: "Stop",
    from: "plugin review",
    declared: 1,
    seen: 0,
    status: "unobserved",
  }],
  notes: ["unlike in a launch, no login is used"],
  ms: 640,
};

Deno.test("renderReport() prints a table, what its marks mean, the notes and a summary", () => {
  equal(
    renderReport(EQUAL, "/home/me"),
    `    KIND    ITEM    FROM           DECLARED  SEEN
ok  plugin  review  manifest       yes       yes
-   hook    Stop    plugin review  1         0

-: cannot be seen in verify; counts neither way

note: unlike in a launch, no login is used

verify: 1 item declared, 1 seen, 0 unexpected (claude 9.9.9, 0.6 s)`,
  );
});

Deno.test("renderReport() names what differs, why, and what to do", () => {
  const rows: Row[] = [
    OK,
    {
      ...OK,
      kind: "mcp server",
      item: "github",
      seen: "failed",
      status: "failed",
      detail: "Connection failed: closed",
    },
    {
      ...OK,
      kind: "memory",
      item: "/home/me/.claude/CLAUDE.md",
      from: "?",
      declared: false,
      status: "unexpected",
      detail: "the agent says: User",
    },
  ];
  equal(
    renderReport({ ...EQUAL, ok: false, rows, notes: [] }, "/home/me"),
    `            KIND        ITEM                 FROM      DECLARED  SEEN
ok          plugin      review               manifest  yes       yes
FAILED      mcp server  github               manifest  yes       failed
UNEXPECTED  memory      ~/.claude/CLAUDE.md  ?         no        yes

UNEXPECTED: the agent has it, and nothing declares it
FAILED: declared, and the agent could not load it

mcp server github: Connection failed: closed
memory ~/.claude/CLAUDE.md: the agent says: User

Start the server by hand to see why it fails, then mend its [mcp] entry
Declare what is unexpected in aenv.toml, or remove the file it comes from

verify: 2 items declared, 1 seen, 1 failed, 1 unexpected (claude 9.9.9, 0.6 s)`,
  );
});

Deno.test("renderReport() lets no name steer the terminal", () => {
  const rows = [{ ...OK, item: "a\u001b[2Jb", detail: "x\u0007y" }];
  const text = renderReport({ ...EQUAL, rows }, "/home/me");
  // deno-lint-ignore no-control-regex
  equal(/[\u0000-\u0009\u000b-\u001f]/.test(text), false);
});
