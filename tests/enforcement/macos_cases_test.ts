/**
 * The claims about macOS, as far as another system can tell: the profile of each is right in its syntax and, read by the
 * rules of Seatbelt, refuses and allows what the claim says; the attempts are real. The kernel itself is asked by
 * macos/claims_test.ts, on macOS.
 */
import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { seatbeltProfile } from "../../src/sandbox/mod.ts";
import { checkProfile, Profile } from "../support/sbpl.ts";
import { type Attempt, type Case, CASES } from "./macos/cases.ts";
import { MacWorld } from "./macos/world.ts";

/** What an attempt asks of Seatbelt, in which one refusal is enough; undefined: nothing about files. */
function questionsOf(
  [how, first, second]: Attempt,
): [string, string][] | undefined {
  switch (how) {
    case "read":
    case "list":
      return [["file-read-data", real(first!)]];
    case "write":
    case "truncate":
      return [["file-write-data", real(first!)]];
    case "chmod":
      return [["file-write-mode", real(first!)]];
    case "create":
    case "mkdir":
      return [["file-write-create", entry(first!)]];
    case "symlink":
      return [["file-write-create", entry(second!)]];
    case "unlink":
    case "rmdir":
      return [["file-write-unlink", entry(first!)]];
    case "rename":
      return [
        ["file-write-unlink", entry(first!)],
        ["file-write-create", entry(second!)],
      ];
    case "swap":
      return [
        ...questionsOf(["rename", first!, second!])!,
        ...questionsOf(["rename", second!, first!])!,
      ];
    // A second name is as good as reading and writing the file.
    case "link":
    case "clone":
      return [
        ["file-read-data", real(first!)],
        ["file-write-create", entry(second!)],
      ];
    case "start":
      return [["process-exec*", real(first!)]];
    default:
      return undefined;
  }
}

/** Where a path leads; what is missing keeps its name. */
function real(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return entry(path);
  }
}

/** The directory entry of this path, which is not followed. */
function entry(path: string): string {
  const dir = dirname(path);
  return dir === path ? path : `${real(dir)}/${basename(path)}`;
}

function isDirectory(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Whether a profile lets all of an attempt happen; undefined where the reader cannot tell. */
function allows(profile: Profile, attempt: Attempt): boolean | undefined {
  const questions = questionsOf(attempt);
  return questions?.every(([operation, path]) =>
    profile.allows(operation, {
      path,
      isDirectory: attempt[0] === "mkdir" || isDirectory(path),
    })
  );
}

/** Checks the command of a case and asks its profile about the attempts; returns how many the reader could answer. */
async function checkCase(one: Case): Promise<number> {
  await using world = await MacWorld.make(one.setup);
  const options = one.options?.(world);
  const { text, parameters } = seatbeltProfile(world.policy(options));
  checkProfile(text, parameters);
  const command = world.command([world.attempt, "read", "x"], options);
  assert.deepEqual(command.slice(-6), [
    ...["-p", text, "--", world.attempt, "read", "x"],
  ]);
  assert.deepEqual(
    [command[0], command.length],
    ["/usr/bin/sandbox-exec", 7 + 2 * Object.keys(parameters).length],
  );
  // No name of this world is in the text: it could change what the profile means.
  assert.ok(!text.includes(world.root));
  const profile = new Profile(text, parameters);
  let answered = 0;
  for (const expected of [false, true]) {
    const attempts = (expected ? one.allowed : one.refused)?.(world) ?? [];
    for (const words of attempts) {
      if (words[0] === "unlink") world.file("project/other");
      const found = allows(profile, words);
      if (found === undefined) continue;
      // What only macOS has is not here to be found, and its refusal of programs that run as their owner is in no profile.
      if (one.isMacOnly && (expected || words[0] === "start")) continue;
      assert.equal(found, expected, words.join(" "));
      answered++;
    }
  }
  return answered;
}

Deno.test("the profile of every claim about macOS is right in its syntax, and refuses and allows what the claim says", async () => {
  let answered = 0;
  for (const one of CASES) {
    try {
      answered += await checkCase(one);
    } catch (cause) {
      throw new Error(`${one.name}: ${String(cause)}`, { cause });
    }
  }
  assert.ok(answered >= 120, `${answered}`);
});

Deno.test("every attempt of a claim about macOS that another system has as well succeeds where nothing refuses it", async () => {
  let tried = 0;
  for (const one of CASES.filter(({ isMacOnly }) => !isMacOnly)) {
    const count = await (async () => {
      await using world = await MacWorld.make(one.setup);
      return one.refused?.(world).length ?? 0;
    })();
    for (let i = 0; i < count; i++) {
      await using world = await MacWorld.make(one.setup);
      const words = one.refused!(world)[i]!;
      const said = await world.free(words);
      assert.match(said, /^done/, `${one.name}: ${words.join(" ")}`);
      tried++;
    }
  }
  assert.ok(tried >= 100, `${tried}`);
});
