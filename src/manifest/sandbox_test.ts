import { deepStrictEqual } from "node:assert/strict";
import { parseManifest } from "./parse.ts";

const HEAD = '[env]\nname = "x"\n';

Deno.test("parseManifest() reads a server's own sandbox: what is written, and that the rest is not", () => {
  const { mcp } = parseManifest(
    `${HEAD}[sandbox]\nenabled = true\n[mcp.a]\ncommand = "x"\n[mcp.a.sandbox]\n` +
      'project = "read"\npaths = []\nnetwork = { mode = "hosts", allow = ["a.example"] }\n' +
      '[mcp.b]\ncommand = "x"\nsandbox = { unix_sockets = ["$TMPDIR"] }\n',
    "m",
  );
  const written = {
    project: "read",
    paths: [],
    network: { mode: "hosts", allow: ["a.example"] },
    pathDirs: undefined,
    cacheDirs: undefined,
    unixSockets: undefined,
  };
  const [a, b] = [mcp["a"]!, mcp["b"]!];
  deepStrictEqual(a.type === "stdio" && a.sandbox, written);
  deepStrictEqual(b.type === "stdio" && b.sandbox?.unixSockets, ["$TMPDIR"]);
});
