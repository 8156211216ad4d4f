import { deepStrictEqual, match, throws } from "node:assert/strict";
import fc from "fast-check";
import { AppError } from "../base/errors.ts";
import { normalizeMcpWords, typedServer } from "./mcp_words.ts";

/** Words of a line without quotes. */
function words(line: string): string[] {
  return line.split(" ").filter((word) => word !== "");
}

Deno.test("normalizeMcpWords() gives each variable and header an option of its own", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["a -e K=v -- node -e x", "a --env=K=v -- node -e x"],
    ["-e K=v a -- node", "--env=K=v a -- node"],
    ["a -e K=v L=w -- node", "a --env=K=v --env=L=w -- node"],
    ["--env K=v L= -t stdio a b", "--env=K=v --env=L= -t stdio a b"],
    ["--env=K=v a -- x", "--env=K=v a -- x"],
    ["a -eK=v -- x", "a --env=K=v -- x"],
    ["a -e bad -- x", "a --env=bad -- x"],
    ["a -e -- x", "a -e -- x"],
    [
      "-t http -H X:1 Y:2 a https://x",
      "-t http --header=X:1 --header=Y:2 a https://x",
    ],
    ["-H X:1 a https://x", "--header=X:1 a https://x"],
    ["--json", "--json"],
    ["a --json --dry-run", "a --json --dry-run"],
    ["--from x --select a b --dry-run", "--from x --select a b --dry-run"],
    ["-E w a -- x --nope", "-E w a -- x --nope"],
  ];
  for (const [typed, expected] of cases) {
    deepStrictEqual(normalizeMcpWords(words(typed)), words(expected), typed);
  }
  deepStrictEqual(
    normalizeMcpWords(["a", "--json", '{"command": "x"}', "--json"]),
    ["a", '--server={"command": "x"}', "--json"],
  );
  deepStrictEqual(normalizeMcpWords(["a", "--json", "-"]), ["a", "--server=-"]);
  deepStrictEqual(
    normalizeMcpWords(["-H", "A: b c", "a", "http://x:1/"]),
    ["--header=A: b c", "a", "http://x:1/"],
  );
});

Deno.test("normalizeMcpWords() says where an option of the server's own command belongs", () => {
  const hints: readonly (readonly [string, RegExp])[] = [
    ["a npx -y x", /^Put -- in front/],
    ["a --transprot http x", /^Did you mean --transport/],
    ["a --xyzzy", /^See its words/],
  ];
  for (const [line, hint] of hints) {
    throws(() => normalizeMcpWords(words(line)), (error) => {
      match((error as AppError).hint!, hint);
      return (error as AppError).code === "USAGE";
    });
  }
});

Deno.test("normalizeMcpWords() leaves what follows -- as it is, whatever it looks like", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (rest) => {
      deepStrictEqual(
        normalizeMcpWords(["a", "-e", "K=v", "--", ...rest]),
        ["a", "--env=K=v", "--", ...rest],
      );
    }),
  );
});

function typed(
  line: string,
  more: { transport?: string; env?: string[]; headers?: string[] } = {},
) {
  return typedServer("a", {
    transport: more.transport,
    env: more.env ?? [],
    headers: more.headers ?? [],
    words: words(line),
  });
}

Deno.test("typedServer() makes what was typed", () => {
  deepStrictEqual(typed("npx -y x", { env: ["A=b=c", "D="] }), {
    command: "npx",
    args: ["-y", "x"],
    env: { A: "b=c", D: "" },
  });
  deepStrictEqual(typed("node"), { command: "node" });
  deepStrictEqual(
    typed("https://x", { transport: "http", headers: ["A: b: c", "D:e"] }),
    { url: "https://x", headers: { A: "b: c", D: "e" } },
  );
  for (const transport of ["http", "streamable-http"]) {
    deepStrictEqual(typed("https://x", { transport }), { url: "https://x" });
  }
  deepStrictEqual(typed("https://x", { transport: "sse" }), {
    type: "sse",
    url: "https://x",
  });
});

Deno.test("typedServer() refuses what would be another server than was meant, and shows no value", () => {
  const cases = [
    () => typed(""),
    () => typed("https://x?key=SECRET"),
    () => typed("https://x SECRET", { transport: "http" }),
    () => typed("https://x", { transport: "http", env: ["K=SECRET"] }),
    () => typed("node", { headers: ["A: SECRET"] }),
    () => typed("node", { env: ["SECRET"] }),
    () => typed("node", { env: ["=SECRET"] }),
    () => typed("https://x", { transport: "http", headers: ["SECRET"] }),
  ];
  for (const make of cases) {
    throws(make, (error) => {
      const { code, message, hint } = error as AppError;
      deepStrictEqual([code, /SECRET/.test(message + hint)], ["USAGE", false]);
      return true;
    });
  }
});
