/**
 * A stand-in for the OpenAI Responses API on a loopback port: records each request, and answers with scripted steps. Like
 * the one in `stub_api.ts`, what it answers depends on the conversation: the step with the number of calls since the user's
 * last message, and a closing text when there are no more.
 */
import { FINAL_ANSWER, type RecordedRequest } from "./stub_api.ts";

/** One turn of the model: a shell command, a patch, another tool, a text. */
export type CodexStep =
  | { readonly bash: string }
  | { readonly patch: string }
  | {
    readonly tool: string;
    readonly input: Readonly<Record<string, unknown>>;
  }
  | { readonly text: string };

interface Tool {
  readonly type: string;
  readonly name?: string;
  readonly tools?: readonly Tool[];
}

interface Item {
  readonly type?: string;
  readonly role?: string;
  readonly tools?: readonly Tool[];
  readonly output?: unknown;
}

interface ResponsesRequest {
  readonly tools?: readonly Tool[];
  readonly input?: readonly Item[];
}

/** A running stub. Use with `await using`. */
export class StubResponses implements AsyncDisposable {
  readonly requests: RecordedRequest[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #stop = new AbortController();
  readonly #steps: readonly CodexStep[];
  #count = 0;

  constructor(steps: readonly CodexStep[] = []) {
    this.#steps = steps;
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      signal: this.#stop.signal,
      onListen: () => {},
    }, (request) => this.#answer(request));
  }

  /** `http://127.0.0.1:PORT`; the API is at `/v1`. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** What the steps led to, as the model was told, in order. */
  results(): readonly string[] {
    const last = this.#modelRequests().at(-1);
    return (last?.input ?? [])
      .filter(({ type }) => type?.endsWith("_call_output"))
      .map(({ output }) =>
        typeof output === "string" ? output : JSON.stringify(output)
      );
  }

  /** Names of the tools that the model was offered, over all requests; those of a namespace behind its name. */
  offeredTools(): ReadonlySet<string> {
    return new Set(this.#modelRequests().flatMap(toolsOf).flatMap(namesOf));
  }

  /** All that the model was sent. */
  sent(): string {
    return this.requests.map(({ body }) => body).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }

  #modelRequests(): readonly ResponsesRequest[] {
    return this.requests.filter(({ path, method }) =>
      path === "/v1/responses" && method === "POST"
    ).map(({ body }) => JSON.parse(body) as ResponsesRequest);
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
    if (pathname.endsWith("/models")) {
      return Response.json({ object: "list", data: [], models: [] });
    }
    if (pathname !== "/v1/responses") return Response.json({});
    const asked = JSON.parse(body) as ResponsesRequest;
    this.#count += 1;
    return eventStream(itemOf(this.#stepFor(asked), asked, this.#count));
  }

  #stepFor({ input = [] }: ResponsesRequest): CodexStep {
    const from = input.findLastIndex(({ role }) => role === "user");
    const calls = input.slice(from + 1).filter(({ type }) =>
      type?.endsWith("_call")
    );
    return this.#steps[calls.length] ?? { text: FINAL_ANSWER };
  }
}

/** Newer models get their tools as an item of the conversation. */
function toolsOf({ tools = [], input = [] }: ResponsesRequest): Tool[] {
  return [...tools, ...input.flatMap((item) => item.tools ?? [])];
}

function namesOf({ name, type, tools }: Tool): string[] {
  const own = name ?? type;
  return tools === undefined
    ? [own]
    : tools.flatMap(namesOf).map((inner) => `${own}.${inner}`);
}

/** The model's turn. Newer models write a program that calls the tools. */
function itemOf(step: CodexStep, asked: ResponsesRequest, count: number) {
  if ("text" in step) return messageItem(step.text, count);
  const names = toolsOf(asked).flatMap(namesOf);
  const call = callOf(count);
  if (names.includes("functions.exec")) {
    return {
      ...call,
      type: "custom_tool_call",
      id: `ctc_${count}`,
      name: "exec",
      namespace: "functions",
      input: programOf(step),
    };
  }
  if ("patch" in step) {
    return names.includes("apply_patch")
      ? {
        ...call,
        type: "custom_tool_call",
        id: `ctc_${count}`,
        name: "apply_patch",
        input: step.patch,
      }
      : functionCall(call, "exec_command", {
        cmd: `apply_patch <<'EOF'\n${step.patch}\nEOF`,
      });
  }
  return "bash" in step
    ? functionCall(call, "exec_command", commandOf(step.bash))
    : functionCall(call, step.tool, step.input);
}

/** A command that is waited for. */
function commandOf(cmd: string) {
  return { cmd, yield_time_ms: 30_000 };
}

function callOf(count: number) {
  return { call_id: `call_${count}`, status: "completed" };
}

function programOf(step: Exclude<CodexStep, { text: string }>): string {
  const call = "patch" in step
    ? `apply_patch(${JSON.stringify(step.patch)})`
    : "bash" in step
    ? `exec_command(${JSON.stringify(commandOf(step.bash))})`
    : `${step.tool}(${JSON.stringify(step.input)})`;
  return `try { const r = await tools.${call};
text(typeof r === "string" ? r : JSON.stringify(r)); } catch (e) { text(String(e)); }`;
}

function functionCall(
  call: Readonly<Record<string, unknown>>,
  name: string,
  input: Readonly<Record<string, unknown>>,
) {
  const at = name.lastIndexOf("__");
  const names = at < 0
    ? { name }
    : { namespace: name.slice(0, at), name: name.slice(at + 2) };
  return {
    ...call,
    ...names,
    type: "function_call",
    id: `fc_${call["call_id"]}`,
    arguments: JSON.stringify(input),
  };
}

function messageItem(text: string, count: number) {
  return {
    type: "message",
    role: "assistant",
    id: `msg_${count}`,
    status: "completed",
    content: [{ type: "output_text", text, annotations: [] }],
  };
}

function usageOf() {
  return {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 15,
  };
}

function eventStream(item: { readonly id: string }): Response {
  const id = `resp_${item.id}`;
  const events = [
    { type: "response.created", response: { id, status: "in_progress" } },
    { type: "response.output_item.added", output_index: 0, item },
    { type: "response.output_item.done", output_index: 0, item },
    {
      type: "response.completed",
      response: { id, status: "completed", usage: usageOf(), output: [item] },
    },
  ];
  const text = events.map((event) =>
    `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
  ).join("");
  return new Response(text, {
    headers: { "content-type": "text/event-stream" },
  });
}
