import assert from "node:assert/strict";
import "../../../tests/support/open_libc.ts";
import type { AbsPath } from "../../base/paths.ts";
import { prepareFirstRun, type TrustWish } from "./first_run.ts";
import { approvedApiKey } from "./user_config.ts";

/** A config directory, and what its state file says. */
class Slot implements Disposable {
  readonly root = Deno.makeTempDirSync() as AbsPath;
  readonly file = `${this.root}/.claude.json`;

  prepare(dir: string | undefined, apiKey?: string): Promise<void> {
    const trust = { dir, record: `${this.root}/trusted.json` } as TrustWish;
    return prepareFirstRun(this.root, { trust, apiKey, confined: true });
  }

  /** What the agent does when the user says yes in its dialog. */
  sayYes(dir: string): void {
    const state = JSON.parse(Deno.readTextFileSync(this.file));
    state.projects[dir] = { hasTrustDialogAccepted: true };
    Deno.writeTextFileSync(this.file, JSON.stringify(state));
  }

  trusted(): string[] {
    const { projects } = JSON.parse(Deno.readTextFileSync(this.file));
    return Object.keys(projects)
      .filter((dir) => projects[dir].hasTrustDialogAccepted);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }
}

Deno.test("prepareFirstRun() marks onboarding as done and keeps what the agent wrote", async () => {
  using slot = new Slot();
  const before = { theme: "dark", projects: { "/p": { allowedTools: ["x"] } } };
  Deno.writeTextFileSync(slot.file, JSON.stringify(before));
  await slot.prepare("/p");
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(slot.file)), {
    theme: "dark",
    hasCompletedOnboarding: true,
    projects: { "/p": { allowedTools: ["x"], hasTrustDialogAccepted: true } },
  });
});

Deno.test("prepareFirstRun() takes its own marks back when the agent is to ask", async () => {
  using slot = new Slot();
  await slot.prepare("/home");
  await slot.prepare("/home/a");
  assert.deepEqual(slot.trusted(), ["/home", "/home/a"]);
  await slot.prepare(undefined);
  assert.deepEqual(slot.trusted(), []);
});

Deno.test("prepareFirstRun() keeps the user's own yes, also for a directory that it had marked once", async () => {
  using slot = new Slot();
  await slot.prepare("/a");
  await slot.prepare(undefined);
  slot.sayYes("/a");
  slot.sayYes("/b");
  await slot.prepare("/b");
  await slot.prepare(undefined);
  assert.deepEqual(slot.trusted(), ["/a", "/b"]);
});

Deno.test("prepareFirstRun() refuses a state or a record that it cannot read", async () => {
  for (const name of [".claude.json", "trusted.json"]) {
    using slot = new Slot();
    await slot.prepare("/a");
    Deno.writeTextFileSync(`${slot.root}/${name}`, "[");
    await assert.rejects(slot.prepare(undefined), { code: "ENV_BROKEN" });
  }
});

Deno.test("prepareFirstRun() brings an agent nothing that a link in the place of its state leads to", async () => {
  using slot = new Slot();
  const secret = `${slot.root}/auth.json`;
  Deno.writeTextFileSync(secret, '{"token":"SECRET"}');
  Deno.symlinkSync(secret, slot.file);
  await assert.rejects(slot.prepare("/a"), { code: "ENV_BROKEN" });
  assert.ok(Deno.lstatSync(slot.file).isSymlink);
  Deno.removeSync(slot.file);
  new Deno.Command("mkfifo", { args: [slot.file] }).outputSync();
  await assert.rejects(slot.prepare("/a"), { code: "ENV_BROKEN" });
});

Deno.test("prepareFirstRun() approves an API key unless the question was answered here", async () => {
  using slot = new Slot();
  const answers = { rejected: ["no"] };
  const before = { customApiKeyResponses: answers };
  Deno.writeTextFileSync(slot.file, JSON.stringify(before));
  for (const key of ["yes", "yes", "no"]) await slot.prepare("/a", key);
  const state = JSON.parse(Deno.readTextFileSync(slot.file));
  assert.deepEqual(state.customApiKeyResponses, {
    approved: ["yes"],
    rejected: ["no"],
  });
});

Deno.test("approvedApiKey() gives the end of a key that the user approved, and of no other", () => {
  using slot = new Slot();
  const approved = ["-the-last-20-letters"];
  const before = { customApiKeyResponses: { approved } };
  Deno.writeTextFileSync(slot.file, JSON.stringify(before));
  const cases = [
    ["sk-ant-the-last-20-letters", "-the-last-20-letters"],
    ["sk-ant-the-last-20-lettert", undefined],
    ["", undefined],
  ] as const;
  for (const [key, end] of cases) {
    const env = { ANTHROPIC_API_KEY: key };
    assert.equal(approvedApiKey(env, slot.file as AbsPath), end);
  }
  assert.equal(approvedApiKey({}, slot.file as AbsPath), undefined);
});
