import { deepStrictEqual } from "node:assert/strict";
import { makeItem } from "./items.ts";

Deno.test("makeItem() makes control and invisible characters visible, and a further line cannot look like ours", () => {
  deepStrictEqual(
    makeItem("a\u001b[31m", [
      "runs: x\u202e\r\nfrom ./safe",
      "tag \u{e0041}",
    ]),
    {
      title: "a\\u001b[31m",
      lines: [
        "runs: x\\u202e\\u000d",
        "  | from ./safe",
        "tag \\u{e0041}",
      ],
    },
  );
});

Deno.test("makeItem() masks credentials and cuts nothing", () => {
  const long = "x ".repeat(5000) + "end";
  deepStrictEqual(makeItem("a", ["T=sk-ant-api03-abcdefgh", long]).lines, [
    "T=[redacted]",
    long,
  ]);
});
