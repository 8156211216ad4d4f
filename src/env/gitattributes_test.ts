import { strictEqual } from "node:assert/strict";
import { addAttributes } from "./gitattributes.ts";

const LINES = "aenv.toml text eol=lf\naenv.lock text eol=lf\n";

Deno.test("addAttributes() appends what is missing once", () => {
  strictEqual(addAttributes(""), LINES);
  strictEqual(addAttributes(LINES), undefined);
  strictEqual(addAttributes("*.png binary"), "*.png binary\n" + LINES);
  strictEqual(
    addAttributes("/aenv.toml -text\n"),
    "/aenv.toml -text\naenv.lock text eol=lf\n",
  );
  strictEqual(addAttributes("# aenv.toml\n"), "# aenv.toml\n" + LINES);
});

Deno.test("addAttributes() keeps line ends of Windows", () => {
  strictEqual(
    addAttributes("*.png binary\r\n"),
    "*.png binary\r\n" + LINES.replaceAll("\n", "\r\n"),
  );
});
