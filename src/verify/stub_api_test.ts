import { deepEqual, equal, match } from "node:assert/strict";
import { reply, startStubApi } from "./stub_api.ts";

Deno.test("reply() counts tokens", () => {
  const request = {
    method: "POST",
    path: "/v1/messages/count_tokens",
    body: "{}",
  };
  deepEqual(JSON.parse(reply(request, {}).body), { input_tokens: 1 });
});

Deno.test("reply() streams a whole message when asked to", () => {
  const request = { method: "POST", path: "/v1/messages", body: "{}" };
  const { type, body } = reply(request, { stream: true, model: "m" });
  equal(type, "text/event-stream");
  const events = [...body.matchAll(/^event: (.+)\ndata: (.+)\n\n/gm)];
  deepEqual(events.map(([, event]) => event), [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
  ]);
  for (const [, event, data] of events) {
    equal(JSON.parse(data!).type, event);
  }
});

Deno.test("startStubApi() keeps the requests that offer tools, and answers whatever else comes", async () => {
  const stub = startStubApi();
  async function post(path: string, body: string): Promise<unknown> {
    const response = await fetch(stub.url + path, { method: "POST", body });
    return await response.json();
  }
  const turn = { model: "m", tools: [{ name: "Bash" }] };
  await post("/v1/messages", JSON.stringify({ model: "m" }));
  const answer = await post("/v1/messages?beta=true", JSON.stringify(turn));
  match(JSON.stringify(answer), /"role":"assistant"/);
  deepEqual(await post("/v1/messages", "not json {"), answerWithout(answer));
  deepEqual(await post("/api/elsewhere", ""), {});
  deepEqual(stub.turns, [turn]);
  await stub.close();
});

/** The answer to a request that names no model. */
function answerWithout(answer: unknown): unknown {
  return { ...answer as Record<string, unknown>, model: "none" };
}
