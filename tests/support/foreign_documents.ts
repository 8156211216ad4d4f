/** What other programs may have written about MCP servers, for property tests. */
import fc from "fast-check";

const piece = fc.constantFrom(
  ...["${", "}", "${env:A}", "${A:-b}", "${input:x}", "${secret:k}", "$", "{"],
  ...["${workspaceFolder}", "${userHome}", "/", ":", "=", " ", "\0", "a", "é"],
  ...["${command:x}", "${env:}", "${}", "input:", "\ud800", "\n", "//", "/*"],
);
/** Texts with references, whole and broken. */
export const referenceText = fc.oneof(
  fc.array(piece, { maxLength: 5 }).map((parts) => parts.join("")),
  fc.string({ maxLength: 12 }),
);

/** What stands where a text, a list or a table is expected. */
const anything = fc.oneof(
  { weight: 6, arbitrary: referenceText },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
);
const KEYS = [
  ...["type", "command", "args", "env", "url", "headers", "cwd", "disabled"],
  ...["timeout", "envFile", "oauth", "__proto__", "constructor", "enabled"],
];
const entry = fc.oneof(
  fc.dictionary(fc.constantFrom(...KEYS), anything, { maxKeys: 5 }),
  fc.record({
    command: referenceText,
    args: fc.array(fc.oneof(referenceText, fc.integer(), fc.boolean()), {
      maxLength: 3,
    }),
    env: fc.dictionary(fc.constantFrom("A", "B_1", "c d"), anything, {
      maxKeys: 3,
    }),
  }, { requiredKeys: ["command"] }),
  fc.record({
    type: fc.constantFrom("http", "sse", "streamable-http", "ws", 1),
    url: referenceText.map((path) => `https://h/${path}`),
    headers: fc.dictionary(fc.constantFrom("A", "x y"), anything, {
      maxKeys: 2,
    }),
  }, { requiredKeys: ["url"] }),
  anything,
);
const servers = fc.dictionary(
  fc.oneof(
    fc.constantFrom("a", "b c", "__proto__", "..", "toString"),
    referenceText,
  ),
  entry,
  { maxKeys: 3 },
);
const input = fc.record({
  id: fc.constantFrom("x", "y", 1),
  type: fc.constantFrom("promptString", "command", "pickString"),
  password: fc.boolean(),
  default: anything,
}, { requiredKeys: [] });
/** Files of other programs, right and wrong. */
export const foreignDocument = fc.record({
  mcpServers: servers,
  servers,
  inputs: fc.array(fc.oneof(input, anything), { maxLength: 2 }),
  mcp: fc.record({ servers }, { requiredKeys: [] }),
}, { requiredKeys: [] });
