import assert from "node:assert/strict";
import plugin from "./messages.ts";

/** The messages that the plugin gives for the arguments of one `new AppError`. */
function lint(args: string): string[] {
  return Deno.lint.runPlugin(plugin, "a.ts", `throw new AppError(${args});`)
    .map((diagnostic) => diagnostic.message);
}

Deno.test("app-error-message accepts the house grammar", () => {
  const accepted = [
    '"IO", "Cannot read the current directory: it no longer exists"',
    '"IO", `Cannot read "${path}": ${reason}`',
    '"IO", `Cannot read ${quote(path)}: it has more than ${max} bytes`',
    '"IO", `Cannot ${action} ${quote(path)}: ${state}`',
    '"IO", `Cannot read "${path}": ` + reason',
    '"USAGE", `Cannot run "aenv ${name}" in "${a}-${b}": ${state}`',
    '"IO", `Cannot use ${quote(text)} as a ${what} name: ${problem}`',
    '"IO", "Cannot read it: gone", { hint: "Type: git add ." }',
    '"IO", isFile ? "Cannot read it: gone" : `Cannot open "${path}"`',
    '"IO", message, { hint: "Type: aenv list" }',
    '"IO", "Cannot go on: the agent\'s program is missing", { hint: "Go up: cd .." }',
  ];
  for (const args of accepted) assert.deepEqual(lint(args), [], args);
});

Deno.test("app-error-message refuses another opening, a period, a contraction, a bare object", () => {
  const refused: [string, RegExp][] = [
    ['"IO", "Failed to read"', /starts with: Cannot/],
    ['"IO", "cannot read it"', /starts with: Cannot/],
    ['"IO", "Cannot Read it"', /starts with: Cannot/],
    ['"IO", `${path} is missing`', /starts with: Cannot/],
    ['"IO", ok ? "Cannot read it" : "No file"', /starts with: Cannot/],
    ['"IO", "Cannot read it: gone."', /no final period/],
    ['"IO", `Cannot read "${path}": gone.`', /no final period/],
    ['"IO", "Cannot read it: it isn\'t there"', /no contractions/],
    ['"IO", "Cannot read it: it\'s gone"', /no contractions/],
    ['"IO", `Cannot read ${path}: gone`', /double quotes/],
    ['"IO", "Cannot read " + path', /double quotes/],
    ['"IO", `Cannot read "${a}" from ${b}: gone`', /double quotes/],
    ['"IO", "Cannot read it: gone", { hint: "Try again." }', /A hint has no/],
    [
      '"IO", "Cannot read it: gone", { exitCode: 3, hint: `Type: ${command}.` }',
      /A hint has no/,
    ],
  ];
  for (const [args, message] of refused) {
    assert.match(lint(args).join("\n"), message, args);
  }
});
