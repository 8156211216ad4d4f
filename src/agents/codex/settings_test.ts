import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { apiUrls, makeSettings, parseSettings } from "./settings.ts";

const FREE = { confined: false, projectConfig: "load", servers: {} } as const;
const CONFINED = { ...FREE, confined: true };

function made(...input: Parameters<typeof makeSettings>) {
  return values(makeSettings(...input).text);
}

/** The values of a text, as plain objects. */
function values(text: string): Record<string, unknown> {
  return JSON.parse(JSON.stringify(parseSettings(text)!));
}

Deno.test("makeSettings() switches Codex's own sandbox off inside ours, whatever else says so, and not outside", () => {
  const kept = values('sandbox_mode = "read-only"\nmodel = "m"');
  strictEqual(made(kept, CONFINED, {})["sandbox_mode"], "danger-full-access");
  strictEqual(made(kept, FREE, {})["sandbox_mode"], "read-only");
  const left = values('sandbox_mode = "danger-full-access"');
  strictEqual("sandbox_mode" in made({}, FREE, left), false);
});

Deno.test("makeSettings() keeps account connectors and plugins out unless the user asks, and always a server in the background", () => {
  const off = values(
    "apps = false\nplugins = false\ndaemon_auto_start = false",
  );
  deepStrictEqual(made({}, FREE, undefined)["features"], off);
  const kept = values("[features]\napps = true\ndaemon_auto_start = true");
  deepStrictEqual(made(kept, FREE, undefined)["features"], {
    ...off,
    apps: true,
  });
});

Deno.test("makeSettings() takes over from a session what notices were seen, and says what else is gone", () => {
  const old = values(`model = "other"
[mcp_servers.evil]
command = "evil"
[notice]
hide_full_access_warning = true
run = "evil"
[tui]
screen_reader_detection_done = true
notifications = ["evil"]
[tui.model_availability_nux]
"gpt-6.1-sol" = 2
"a b" = 1`);
  const { text, dropped } = makeSettings({ model: "mine" }, CONFINED, old);
  deepStrictEqual(dropped, ["mcp_servers", "model", "notice", "tui"]);
  const { model, notice, tui, ...rest } = values(text);
  deepStrictEqual(
    { model, notice, tui },
    values(`model = "mine"
[notice]
hide_full_access_warning = true
[tui]
screen_reader_detection_done = true
[tui.model_availability_nux]
"gpt-6.1-sol" = 2`),
  );
  strictEqual("mcp_servers" in rest, false);
});

Deno.test("makeSettings() drops nothing of what it made itself", () => {
  const kept = values(`model = "m"
[model_providers.own]
base_url = "http://127.0.0.1:1/v1"
[features]
web = true`);
  const servers = { gh: { command: "gh", args: ["a"], env: { A: "b" } } };
  for (const launch of [CONFINED, FREE]) {
    const first = makeSettings(kept, { ...launch, servers }, undefined);
    const again = makeSettings(
      kept,
      { ...launch, servers },
      parseSettings(first.text),
    );
    deepStrictEqual(again, { text: first.text, dropped: [] });
  }
});

Deno.test("makeSettings() lets nothing of any session's settings weaken a confined launch", () => {
  const key = fc.constantFrom(
    ...["sandbox_mode", "features", "skills", "notice", "tui", "__proto__"],
    ...[
      "daemon_auto_start",
      "bundled",
      "enabled",
      "mcp_servers",
      "constructor",
    ],
  );
  const { table } = fc.letrec((tie) => ({
    table: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
    value: fc.oneof(
      { maxDepth: 4 },
      fc.boolean(),
      fc.integer(),
      fc.string(),
      tie("table"),
    ),
  }));
  fc.assert(fc.property(table, (old) => {
    const settings = made({}, CONFINED, old as Record<string, unknown>);
    const { notice: _, tui: __, ...rest } = settings;
    deepStrictEqual(rest, EXPECTED);
  }));
});

const EXPECTED = made({}, CONFINED, undefined);

Deno.test("apiUrls() are those of the user's own settings", () => {
  const kept = parseSettings(`openai_base_url = "https://a.example/v1"
chatgpt_base_url = "no url"
[model_providers.x]
base_url = "https://b.example"
[model_providers.y]
name = "y"`)!;
  deepStrictEqual(apiUrls(kept), ["https://a.example/v1", "https://b.example"]);
  deepStrictEqual(apiUrls(values("model_providers = 1")), []);
});

Deno.test("parseSettings() is undefined for what is no TOML", () => {
  strictEqual(parseSettings("= ="), undefined);
});
