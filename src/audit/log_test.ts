import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import "../../tests/support/open_libc.ts";
import { TempDir } from "../../tests/support/temp.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { entryOf, isoTime, plainText } from "./entry.ts";
import { archivesIn } from "./files.ts";
import { AuditLog } from "./log.ts";
import { noteLaunch } from "./note.ts";
import { Follower, readNewest } from "./read.ts";

const LOG = new URL("./log.ts", import.meta.url).href;
const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname);

/** Adds entries until it is killed, or as many as it is told, and says after each that it is there. */
const WRITER = `
import { AuditLog } from ${JSON.stringify(LOG)};
const [dir, name, count, fileBytes = 20_000, archives = 100, pause = 0] = Deno.args;
const log = new AuditLog(dir, { fileBytes: Number(fileBytes), archives: Number(archives) });
for (let i = 0; i < Number(count); i++) {
  log.add({ event: "connect-refused", to: name + " " + i, why: "EACCES" });
  if (pause) await new Promise((resolve) => setTimeout(resolve, Number(pause)));
  Deno.stdout.writeSync(new TextEncoder().encode("."));
}
`;

const LIMITS = { fileBytes: 4000, archives: 3 };
const LAUNCH = {
  event: "launch-begin",
  agent: "claude",
  cwd: "/work",
  network: "open",
  supervised: false,
} as const;

class World extends TempDir {
  readonly dir = join(this.path as AbsPath, "audit");
  readonly file = join(this.dir, "log.jsonl");
  readonly log = new AuditLog(this.dir, LIMITS);

  add(count: number, from = 0): void {
    for (let i = from; i < from + count; i++) {
      this.log.add({ event: "launch-end", code: i });
    }
  }

  lines(): string[] {
    return Deno.readTextFileSync(this.file).split("\n").filter(Boolean);
  }

  write(lines: readonly string[]): void {
    Deno.writeTextFileSync(this.file, lines.map((l) => l + "\n").join(""));
  }

  codes(count = 1000): unknown[] {
    return readNewest(this.log.files, { count, wants: () => true })
      .map(({ code }) => code);
  }
}

function writer(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", WRITER, ...args],
    cwd: ROOT,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

Deno.test("AuditLog.add() makes files that nobody else can read", () => {
  using world = new World();
  world.add(2);
  const modes = [world.dir, world.file, world.log.files.head]
    .map((path) => Deno.statSync(path).mode! & 0o777);
  deepStrictEqual(modes, [0o700, 0o600, 0o600]);
  deepStrictEqual(world.codes(), [0, 1]);
});

Deno.test("AuditLog.check() finds nothing wrong with what was written", () => {
  using world = new World();
  deepStrictEqual(world.log.check(), {
    ...{ lines: 0, first: 0, last: 0 },
    ...{ unfinished: 0, uncovered: 0, problems: [] },
  });
  world.add(5);
  const { lines, problems } = world.log.check();
  deepStrictEqual({ lines, problems }, { lines: 5, problems: [] });
});

Deno.test("AuditLog.check() finds every changed byte of every line", () => {
  using world = new World();
  world.add(4);
  const bytes = Deno.readFileSync(world.file);
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.slice();
    changed[i]! ^= 1;
    Deno.writeFileSync(world.file, changed);
    const { problems, unfinished } = world.log.check();
    ok(problems.length > 0, `byte ${i}, ${unfinished}`);
  }
});

Deno.test("AuditLog.check() finds lines that were removed, moved, doubled or forged", () => {
  using world = new World();
  world.add(6);
  const lines = world.lines();
  const without = (i: number) => lines.filter((_, at) => at !== i);
  const swapped = lines.with(2, lines[3]!).with(3, lines[2]!);
  const forged = lines.with(2, lines[2]!.replace('"code":2', '"code":7'));
  const cases: [string, string[], RegExp][] = [
    ["the first", without(0), /line 1 is missing at the start/],
    ["the third", without(2), /line 3 is missing/],
    ["the last", without(5), /line 6 is missing at the end/],
    ["the last three", lines.slice(0, 3), /lines 4 to 6 are missing at/],
    ["all", [], /lines 1 to 6 are missing at the end/],
    ["swapped", swapped, /line 3 is missing/],
    ["doubled", [...lines.slice(0, 3), ...lines.slice(2)], /after line 3/],
    ["forged", forged, /line 3, or what stands between it and line 4/],
  ];
  for (const [name, changed, expected] of cases) {
    world.write(changed);
    match(world.log.check().problems.join("; "), expected, name);
  }
});

Deno.test("AuditLog.check() finds the last line changed", () => {
  using world = new World();
  world.add(3);
  const lines = world.lines();
  world.write(lines.with(2, lines[2]!.replace('"code":2', '"code":0')));
  deepStrictEqual(world.log.check().problems, [
    "line 3, the last one, was changed",
  ]);
});

Deno.test("a line that was never finished spoils no other, and is told of", () => {
  using world = new World();
  world.add(3);
  const whole = Deno.readTextFileSync(world.file);
  const last = whole.trimEnd().lastIndexOf("\n") + 1;
  // Killed while the fourth line was written, at any of its bytes.
  const next = whole.slice(last).replace('"n":3', '"n":4').trimEnd();
  for (let cut = 1; cut < next.length; cut += 7) {
    Deno.writeTextFileSync(world.file, whole + next.slice(0, cut));
    world.add(2, 3);
    const { lines, unfinished, problems } = world.log.check();
    deepStrictEqual({ lines, unfinished, problems }, {
      ...{ lines: 5, unfinished: 1, problems: [] },
    }, `${cut}`);
    deepStrictEqual(world.codes(), [0, 1, 2, 3, 4]);
  }
});

Deno.test("a line that lacks only its end of line counts, and the next one is not joined to it", () => {
  using world = new World();
  world.add(3);
  const whole = Deno.readTextFileSync(world.file);
  Deno.writeTextFileSync(world.file, whole.trimEnd());
  world.add(1, 3);
  const { lines, unfinished, problems } = world.log.check();
  deepStrictEqual({ lines, unfinished, problems }, {
    ...{ lines: 4, unfinished: 0, problems: [] },
  });
});

Deno.test("noteLaunch() writes a line that the next one covers", () => {
  using world = new World();
  noteLaunch(world.dir, LAUNCH, { env: "a" });
  noteLaunch(world.dir, LAUNCH, { env: "b" });
  strictEqual(world.log.check().uncovered, 2);
  world.add(1);
  noteLaunch(world.dir, LAUNCH, { env: "c" });
  world.add(1);
  const found = world.log.check();
  deepStrictEqual([found.lines, found.uncovered, found.problems], [5, 0, []]);
  const text = Deno.readTextFileSync(world.file);
  Deno.writeTextFileSync(world.file, text.replace('"env":"c"', '"env":"d"'));
  strictEqual(world.log.check().problems.length, 1);
});

Deno.test("the log goes on in a new file, keeps so many and loses no line before", () => {
  using world = new World();
  for (let i = 0; i < 120; i++) {
    if (i % 5 === 0) noteLaunch(world.dir, LAUNCH, {});
    world.add(1, i);
    deepStrictEqual(world.log.check().problems, [], `after ${i}`);
  }
  const names = [...Deno.readDirSync(world.dir)].map(({ name }) => name);
  strictEqual(names.filter((name) => name.startsWith("log-")).length, 3);
  const { first, last } = world.log.check();
  ok(first > 1 && last === 120, `${first} ${last}`);
  deepStrictEqual(world.codes(3).slice(-1), [119]);
  const kept = world.codes().filter((code) => code !== undefined);
  deepStrictEqual(
    kept,
    [...Array(121 - first).keys()].map((i) => i + first - 1),
  );
});

Deno.test("AuditLog.check() finds an older file that was changed or removed", () => {
  using world = new World();
  world.add(30);
  const [old] = [...Deno.readDirSync(world.dir)].map(({ name }) => name)
    .filter((name) => name.startsWith("log-")).sort();
  const path = join(world.dir, old!);
  const text = Deno.readTextFileSync(path);
  Deno.writeTextFileSync(path, text.replace('"code":4', '"code":5'));
  strictEqual(world.log.check().problems.length, 1);
  Deno.removeSync(path);
  match(world.log.check().problems.join(), /are missing at the start/);
});

Deno.test("a new file is begun well after a kill between the old one and it", () => {
  using world = new World();
  world.add(8);
  Deno.renameSync(world.file, join(world.dir, "log-000000000008.jsonl"));
  strictEqual(world.log.check().lines, 8);
  noteLaunch(world.dir, LAUNCH, {});
  world.add(2, 8);
  const { lines, last, problems } = world.log.check();
  deepStrictEqual({ lines, last, problems }, {
    ...{ lines: 11, last: 10, problems: [] },
  });
});

Deno.test("AuditLog.check() misses nothing after a kill between the removal of the oldest file and a new one", () => {
  using world = new World();
  world.add(100);
  const { log, dir } = world.log.files;
  const [oldest, ...others] = archivesIn(world.log.files);
  const { last } = world.log.check();
  const name = `log-${String(last).padStart(12, "0")}.jsonl`;
  Deno.renameSync(log, join(dir, name));
  Deno.removeSync(join(dir, oldest!));
  deepStrictEqual(world.log.check().problems, []);
  world.add(2, 100);
  deepStrictEqual(world.log.check().problems, []);
  deepStrictEqual(archivesIn(world.log.files), [...others, name]);
});

Deno.test("AuditLog.clear() leaves one line, which says how many there were", () => {
  using world = new World();
  world.add(30);
  const { lines } = world.log.check();
  deepStrictEqual(world.log.clear(), { lines });
  const [first] = readNewest(world.log.files, { count: 9, wants: () => true });
  strictEqual(first!["event"], "log-cleared");
  strictEqual(first!["lines"], lines);
  world.add(1);
  deepStrictEqual(world.log.check().problems, []);
  strictEqual(world.log.check().lines, 2);
});

Deno.test("20 writers at once, half of them killed, lose no line and break no chain", async () => {
  using world = new World();
  const all = Array.from({ length: 20 }, (_, i) => ({
    name: `w${i}`,
    isKilled: i % 2 === 0,
    child: writer([world.dir, `w${i}`, i % 2 === 0 ? "100000" : "40"]),
  }));
  const said = await Promise.all(all.map(async ({ child, isKilled }) => {
    let count = 0;
    for await (const chunk of child.stdout) {
      count += chunk.length;
      if (isKilled && count >= 15) child.kill("SIGKILL");
    }
    await child.status;
    return count;
  }));
  const log = new AuditLog(world.dir, { fileBytes: 20_000, archives: 100 });
  const { problems, uncovered } = log.check();
  deepStrictEqual([problems, uncovered], [[], 0]);
  const texts = readNewest(log.files, { count: 1e6, wants: () => true })
    .map(({ to }) => to);
  all.forEach(({ name }, i) => {
    const own = texts.filter((text) => String(text).startsWith(`${name} `));
    // What was said to be there is there, in order, each once.
    ok(own.length >= said[i]!, `${name}: ${own.length} of ${said[i]}`);
    deepStrictEqual(own, own.map((_, k) => `${name} ${k}`));
  });
});

Deno.test("AuditLog.check() finds nothing wrong while another process begins one file after the other", async () => {
  using world = new World();
  world.add(10);
  const { fileBytes, archives } = LIMITS;
  // With a pause of some milliseconds: nobody could read as fast as it else begins files.
  const words = ["w", "100000", `${fileBytes}`, `${archives}`, "3"];
  const child = writer([world.dir, ...words]);
  // It says something for each line, and would else wait for somebody to read it.
  const said = child.stdout.pipeTo(new WritableStream());
  const seen = new Set<string>();
  const deadline = Date.now() + 60_000;
  while (seen.size < 30 && Date.now() < deadline) {
    seen.add(archivesIn(world.log.files).at(-1) ?? "");
    deepStrictEqual(world.log.check().problems, []);
    const wants = () => true;
    strictEqual(readNewest(world.log.files, { count: 5, wants }).length, 5);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  child.kill("SIGKILL");
  await child.status;
  await said;
  strictEqual(seen.size, 30);
});

Deno.test("no text from inside reaches the file as a control character, or a line of its own", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 2000 }),
    // deno-lint-ignore no-control-regex
    fc.stringMatching(/^[\n\r\u0000-\u001f\u007f-\u009f\u202e"\\{}]{0,400}$/),
    fc.constant('x\n{"n":1,"time":"","event":"launch-end","at":0,"prev":""}\n'),
  );
  fc.assert(
    fc.property(hostile, hostile, (to, why) => {
      const event = { event: "connect-refused", to, why } as const;
      const text = plainText(entryOf(event, { domain: `mcp.${to}` }, 0));
      const [before, line, after, ...more] = text.split("\n");
      deepStrictEqual([before, after, more], ["", "", []]);
      // deno-lint-ignore no-control-regex
      ok(!/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/.test(line!), line);
      ok(line!.length < 4000, line);
      strictEqual(Object.keys(JSON.parse(line!)).length, 5);
    }),
    { numRuns: 400 },
  );
  using world = new World();
  const samples = fc.sample(hostile, 40);
  for (const to of samples) {
    world.log.add({ event: "connect-refused", to, why: to });
  }
  const { last, problems } = world.log.check();
  deepStrictEqual([last, problems], [samples.length, []]);
});

Deno.test("isoTime() says what Date says", () => {
  const last = Date.parse("9999-12-31T23:59:59.999Z");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: last }), (time) => {
      strictEqual(isoTime(time), new Date(time).toISOString());
    }),
    {
      numRuns: 20_000,
      examples: [
        "2000-02-29",
        "2024-02-29T23:59:59.999Z",
        "2100-03-01",
        "1970-01-01",
      ]
        .map((text) => [Date.parse(text)] as [number]),
    },
  );
});

Deno.test("no credential reaches the file", () => {
  using world = new World();
  const token = "ghp_" + "a1B2".repeat(9);
  const far = "x ".repeat(145) + token;
  world.log.add({ event: "connect-refused", to: token, why: far });
  const text = Deno.readTextFileSync(world.file);
  ok(!text.includes("ghp_"), text);
});

Deno.test("Follower.next() gives what comes, across files and once each", async () => {
  using world = new World();
  world.add(3);
  const follower = new Follower(world.log.files);
  const seen: unknown[] = [];
  for (let i = 3; i < 60; i += 4) {
    world.add(4, i);
    while (seen.length < i + 1) {
      seen.push(...(await follower.next()).map(({ code }) => code));
    }
  }
  deepStrictEqual(seen, [...Array(60).keys()].map((i) => i + 3));
});
