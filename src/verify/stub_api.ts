/** A stand-in for the model API: answers like it, thinks nothing, and keeps what it was asked. */
import { type HttpReply, type HttpRequest, serveLoopback } from "../os/http.ts";

/** A request to the model, as far as it is looked at. */
export interface ModelRequest {
  readonly model?: string;
  readonly stream?: boolean;
  readonly tools?: readonly { readonly name?: string }[];
  readonly messages?: unknown;
  readonly system?: unknown;
}

/** A running stub. */
export interface StubApi {
  readonly url: string;
  /** The requests that offered tools: the turns of the conversation. */
  readonly turns: readonly ModelRequest[];
  close(): Promise<void>;
}

/** Starts the stub on a free loopback port. */
export function startStubApi(): StubApi {
  const turns: ModelRequest[] = [];
  const server = serveLoopback((request) => {
    const asked = readRequest(request.body);
    if (isMessage(request) && (asked.tools?.length ?? 0) > 0) turns.push(asked);
    return reply(request, asked);
  });
  return { url: server.url, turns, close: () => server.close() };
}

function isMessage({ path }: HttpRequest): boolean {
  return path.endsWith("/v1/messages");
}

function readRequest(body: string): ModelRequest {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? value : {};
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return {};
  }
}

/** The answer to one request. */
export function reply(request: HttpRequest, asked: ModelRequest): HttpReply {
  if (request.path.endsWith("/count_tokens")) return json({ input_tokens: 1 });
  if (!isMessage(request)) return json({});
  const message = {
    id: "msg_aenv_verify",
    type: "message",
    role: "assistant",
    model: asked.model ?? "none",
    content: [{ type: "text", text: "ok" }],
    // deno-lint-ignore camelcase
    stop_reason: "end_turn",
    // deno-lint-ignore camelcase
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  return asked.stream === true ? eventStream(message) : json(message);
}

function json(value: unknown): HttpReply {
  return {
    status: 200,
    type: "application/json",
    body: JSON.stringify(value),
  };
}

/** The same message as the API streams it. */
function eventStream(message: Record<string, unknown>): HttpReply {
  const events: [string, Record<string, unknown>][] = [
    ["message_start", {
      message: { ...message, content: [], stop_reason: null },
    }],
    ["content_block_start", {
      index: 0,
      content_block: { type: "text", text: "" },
    }],
    ["content_block_delta", {
      index: 0,
      delta: { type: "text_delta", text: "ok" },
    }],
    ["content_block_stop", { index: 0 }],
    ["message_delta", {
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: 1 },
    }],
    ["message_stop", {}],
  ];
  const body = events.map(([event, data]) =>
    `event: ${event}\ndata: ${JSON.stringify({ type: event, ...data })}\n\n`
  ).join("");
  return { status: 200, type: "text/event-stream", body };
}
