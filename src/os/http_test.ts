import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { serveLoopback } from "./http.ts";

Deno.test("serveLoopback() answers on 127.0.0.1 with what the handler gives", async () => {
  const server = serveLoopback(({ method, path, body }) => ({
    status: 201,
    type: "text/x-test",
    body: `${method} ${path} ${body}`,
  }));
  match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  const response = await fetch(`${server.url}/some/path?query=1`, {
    method: "POST",
    body: "hello",
  });
  equal(response.status, 201);
  equal(response.headers.get("content-type"), "text/x-test");
  equal(await response.text(), "POST /some/path hello");
  await server.close();
});

Deno.test("serveLoopback() gives no headers to the handler", async () => {
  const seen: unknown[] = [];
  const server = serveLoopback((request) => {
    seen.push(request);
    return { status: 200, type: "text/plain", body: "" };
  });
  const response = await fetch(server.url, {
    headers: { authorization: "Bearer TOKEN-0123456789" },
  });
  await response.text();
  await server.close();
  deepEqual(seen, [{ method: "GET", path: "/", body: "" }]);
});

Deno.test("serveLoopback() answers nothing after close()", async () => {
  const server = serveLoopback(() => ({
    status: 200,
    type: "text/plain",
    body: "",
  }));
  await server.close();
  await rejects(fetch(server.url), TypeError);
});
