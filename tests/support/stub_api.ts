/**
 * A stand-in for the Anthropic Messages API on a loopback port: records each request, and answers with scripted steps.
 *
 * What it answers depends on the conversation it is sent, not on a counter, so that side requests (titles, quota
 * probes) consume no step: a request without tools gets a short text; else the step with the number of assistant
 * turns since the user's last message, and a closing text when there are no more.
 */

/** One turn of the model. */
export type Step =
  | { readonly bash: string }
  | { readonly tool: string; readonly input: Readonly<Record<string, unknown>> }
  | { readonly text: string; readonly delayMs?: number };

/** One request as it came in. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The part of a Messages request that the stub looks at. */
interface MessagesRequest {
  readonly model?: string;
  readonly stream?: boolean;
  readonly tools?: readonly { readonly name: string }[];
  readonly messages?: readonly {
    readonly role: string;
    readonly content: string | readonly { readonly type: string }[];
  }[];
}

/** What the model says when the steps are used up. */
export const FINAL_ANSWER = "STUB-FINAL-ANSWER";

/** A running stub. Use with `await using`. */
export class StubApi implements AsyncDisposable {
  readonly requests: RecordedRequest[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #stop = new AbortController();
  readonly #steps: readonly Step[];

  constructor(steps: readonly Step[] = []) {
    this.#steps = steps;
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      signal: this.#stop.signal,
      onListen: () => {},
    }, (request) => this.#answer(request));
  }

  /** `http://127.0.0.1:PORT`, for `ANTHROPIC_BASE_URL`. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** The requests to the model, with tools: the turns of the conversation. */
  modelRequests(): readonly RecordedRequest[] {
    return this.requests.filter(({ path, body }) =>
      path.startsWith("/v1/messages?") || path === "/v1/messages"
        ? hasTools(parse(body))
        : false
    );
  }

  /** Names of the tools that the model was offered, over all requests. */
  offeredTools(): ReadonlySet<string> {
    const names = this.modelRequests().flatMap(({ body }) =>
      parse(body).tools?.map(({ name }) => name) ?? []
    );
    return new Set(names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const body = await request.text();
    this.requests.push({
      method: request.method,
      path: pathname + search,
      headers: Object.fromEntries(request.headers),
      body,
    });
    if (pathname.endsWith("/count_tokens")) {
      return Response.json({ input_tokens: 42 });
    }
    if (pathname !== "/v1/messages") return Response.json({});
    const message = parse(body);
    const step = stepFor(message, this.#steps);
    if ("text" in step && step.delayMs) {
      await new Promise((resolve) => setTimeout(resolve, step.delayMs));
    }
    const reply = messageOf(step, message.model ?? "stub");
    return message.stream ? eventStream(reply) : Response.json(reply);
  }
}

function parse(body: string): MessagesRequest {
  return body === "" ? {} : JSON.parse(body) as MessagesRequest;
}

function hasTools(request: MessagesRequest): boolean {
  return (request.tools?.length ?? 0) > 0;
}

function stepFor(request: MessagesRequest, steps: readonly Step[]): Step {
  if (!hasTools(request)) return { text: "STUB-SIDE-ANSWER" };
  const messages = request.messages ?? [];
  const asked = messages.findLastIndex(({ role, content }) =>
    role === "user" &&
    (typeof content === "string" ||
      !content.some(({ type }) => type === "tool_result"))
  );
  const turns = messages.slice(asked + 1)
    .filter(({ role }) => role === "assistant").length;
  return steps[turns] ?? { text: FINAL_ANSWER };
}

function contentOf(step: Step): Record<string, unknown> {
  if ("text" in step) return { type: "text", text: step.text };
  const id = `toolu_${crypto.randomUUID().replaceAll("-", "")}`;
  return "bash" in step
    ? {
      type: "tool_use",
      id,
      name: "Bash",
      input: { command: step.bash, description: "stub" },
    }
    : { type: "tool_use", id, name: step.tool, input: step.input };
}

function messageOf(step: Step, model: string) {
  return {
    id: `msg_${crypto.randomUUID().replaceAll("-", "")}`,
    type: "message",
    role: "assistant",
    model,
    content: [contentOf(step)],
    stop_reason: "text" in step ? "end_turn" : "tool_use",
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
  };
}

function eventStream(message: ReturnType<typeof messageOf>): Response {
  const block = message.content[0]!;
  const isText = block["type"] === "text";
  const start = isText ? { ...block, text: "" } : { ...block, input: {} };
  const delta = isText ? { type: "text_delta", text: block["text"] } : {
    type: "input_json_delta",
    partial_json: JSON.stringify(block["input"]),
  };
  const events = [
    { type: "message_start", message: { ...message, content: [] } },
    { type: "content_block_start", index: 0, content_block: start },
    { type: "content_block_delta", index: 0, delta },
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason: message.stop_reason, stop_sequence: null },
      usage: { output_tokens: 5 },
    },
    { type: "message_stop" },
  ];
  const text = events.map((event) =>
    `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
  ).join("");
  return new Response(text, {
    headers: { "content-type": "text/event-stream" },
  });
}
