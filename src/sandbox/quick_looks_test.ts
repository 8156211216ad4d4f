import assert from "node:assert/strict";
import fc from "fast-check";
import { lookAt, type LookCode } from "../os/looks.ts";
import { looksAsBefore } from "./quick.ts";
import { wordsOf } from "./quick_format.ts";
import { Looks } from "./quick_looks.ts";

const LINUX = { ignore: Deno.build.os !== "linux" };
const NAMES = ["a", "b", "c", "d", "e"];
const KINDS = ["absent", "file", "directory", "link", "wide link"] as const;
type Kind = typeof KINDS[number];
/** So late that everything has been as it is for long. */
const LATER = (Date.now() + 3600e3) * 1000;

function put(dir: string, name: string, kind: Kind): void {
  const path = `${dir}/${name}`;
  // Made first and moved, as editors do, or made where it belongs.
  if (kind === "file") Deno.writeTextFileSync(path, name);
  if (kind === "directory") Deno.mkdirSync(path);
  if (kind === "link") Deno.symlinkSync("a", path);
  if (kind === "wide link") Deno.symlinkSync("/etc", path);
}

function kindsIn(dir: string): string {
  return NAMES.map((name) => {
    const codes: LookCode[] = ["K", "T"];
    return codes.map((code) => lookAt(`${dir}/${name}`, code)![0]).join(":");
  }).join(" ");
}

/** When an entry was last changed, in microseconds. */
function changedAt(path: string): number {
  return lookAt(path, "F")![5]!;
}

/** Waits until a change is at another time than the last one of the directory: the kernel's clock goes in steps. */
function awaitTick(dir: string): void {
  const probe = Deno.makeTempFileSync();
  const last = changedAt(dir);
  const end = Date.now() + 20_000;
  do {
    Deno.writeTextFileSync(probe, `${Date.now()}`);
    assert.ok(Date.now() < end);
  } while (changedAt(probe) <= last);
  Deno.removeSync(probe);
}

function recorded(dir: string): Looks {
  const looks = new Looks();
  for (const name of NAMES) {
    const codes: LookCode[] = ["K", "T"];
    const rows = codes.map((code) => lookAt(`${dir}/${name}`, code)!);
    const list = {
      codes: codes.join(""),
      paths: codes.map(() => `${dir}/${name}\0`).join(""),
      numbers: rows.flat(),
    };
    assert.ok(looks.take(list, () => false));
  }
  return looks;
}

Deno.test({
  name:
    "Looks finds every change of what is in a directory that it looks at instead",
  ...LINUX,
  fn() {
    const kinds = fc.array(fc.constantFrom(...KINDS), {
      minLength: NAMES.length,
      maxLength: NAMES.length,
    });
    let [same, fewer] = [0, 0];
    fc.assert(
      fc.property(kinds, kinds, (before, after) => {
        const dir = Deno.makeTempDirSync();
        try {
          NAMES.forEach((name, i) => put(dir, name, before[i]!));
          const all = recorded(dir).seen(LATER)!;
          const looks = recorded(dir);
          looks.steady([dir]);
          const [codes, paths, found] = looks.seen(LATER)!;
          fewer += Number(codes!.length < all[0]!.length);
          const isSame = () => looksAsBefore(codes!, paths!, wordsOf(found!));
          assert.ok(isSame());
          awaitTick(dir);
          const known = kindsIn(dir);
          NAMES.forEach((name, i) => {
            if (before[i] === after[i]) return;
            if (before[i] !== "absent") {
              Deno.removeSync(`${dir}/${name}`, { recursive: true });
            }
            put(dir, name, after[i]!);
          });
          if (isSame()) {
            same++;
            assert.equal(kindsIn(dir), known);
          }
        } finally {
          Deno.removeSync(dir, { recursive: true });
        }
      }),
      {
        numRuns: 150,
        examples: [
          [["file", "file", "link", "absent", "link"]].flatMap((
            one,
          ) => [one, one]) as [Kind[], Kind[]],
        ],
      },
    );
    assert.ok(same >= 1 && fewer > 100, `${same} same, ${fewer} with fewer`);
  },
});

Deno.test({
  name: "Looks leaves out nothing for a directory that has just been changed",
  ...LINUX,
  fn() {
    const dir = Deno.makeTempDirSync();
    try {
      NAMES.forEach((name) => put(dir, name, "file"));
      const all = recorded(dir).seen(Date.now() * 1000)!;
      const looks = recorded(dir);
      looks.steady([dir]);
      const kept = looks.seen(Date.now() * 1000)!;
      assert.equal(kept[0]!.length, all[0]!.length + 1);
    } finally {
      Deno.removeSync(dir, { recursive: true });
    }
  },
});
