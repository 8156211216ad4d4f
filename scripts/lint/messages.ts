/** Lint plugin `messages`: the grammar of what an `AppError` says. */

type Expression = Deno.lint.Expression;

/** A message in source order: fixed text, and holes for what is filled in at run time. */
type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "hole"; readonly isWord: boolean };

const CONTRACTION =
  /\b\w+n['’]t\b|\b(?:it|that|there|what|who|he|she|you|we|they|i)['’](?:s|re|ve|ll|d|m)\b/i;

/** Names of variables that hold a verb or a noun of the message, not an object of the user's. */
const OWN_WORDS: ReadonlySet<string> = new Set([
  "action",
  "kind",
  "noun",
  "verb",
  "what",
]);

/** The ways an expression can turn out, each as pieces; none when it is not written out here. */
function variantsOf(node: Expression): readonly Piece[][] {
  switch (node.type) {
    case "Literal":
      return typeof node.value === "string"
        ? [[{ kind: "text", text: node.value }]]
        : [];
    case "TemplateLiteral":
      return [templatePieces(node)];
    case "ConditionalExpression":
      return [...variantsOf(node.consequent), ...variantsOf(node.alternate)];
    case "BinaryExpression":
      return node.operator === "+" ? joined(node) : [];
    default:
      return [];
  }
}

function joined(node: Deno.lint.BinaryExpression): readonly Piece[][] {
  if (node.left.type === "PrivateIdentifier") return [];
  const hole: Piece[][] = [[{
    kind: "hole",
    isWord: isWord(node.right),
  }]];
  const left = variantsOf(node.left);
  const right = variantsOf(node.right);
  const rights = right.length === 0 ? hole : right;
  return left.flatMap((a) => rights.map((b) => [...a, ...b]));
}

function templatePieces(node: Deno.lint.TemplateLiteral): Piece[] {
  const pieces: Piece[] = [];
  let isInQuotes = false;
  node.quasis.forEach((quasi, index) => {
    const text = quasi.cooked ?? quasi.raw;
    if (text !== "") pieces.push({ kind: "text", text });
    if (text.split('"').length % 2 === 0) isInQuotes = !isInQuotes;
    const value = node.expressions[index];
    if (value === undefined) return;
    pieces.push({ kind: "hole", isWord: isInQuotes || isWord(value) });
  });
  return pieces;
}

/** True for what needs no quotes of its own: `quote(x)`, and variables that hold a word of ours. */
function isWord(node: Deno.lint.Node): boolean {
  if (node.type === "Identifier") return OWN_WORDS.has(node.name);
  return node.type === "CallExpression" && node.callee.type === "Identifier" &&
    /^quote/.test(node.callee.name);
}

/** What is wrong with a message, or undefined. */
function messageProblem(pieces: readonly Piece[]): string | undefined {
  const text = pieces.map((piece) => piece.kind === "text" ? piece.text : "x")
    .join("");
  if (!/^Cannot [a-z][a-z-]*(?: |$)/.test(text)) {
    return "A message starts with: Cannot <verb in lower case>";
  }
  if (/[.!]\s*$/.test(text)) return "A message has no final period";
  if (CONTRACTION.test(text)) return "A message has no contractions";
  return hasBareObject(pieces)
    ? "An object filled in before the colon stands in double quotes"
    : undefined;
}

/** True when a value of the user's is filled in unquoted before the state. */
function hasBareObject(pieces: readonly Piece[]): boolean {
  for (const piece of pieces) {
    if (piece.kind === "text" && piece.text.includes(": ")) return false;
    if (piece.kind === "hole" && !piece.isWord) return true;
  }
  return false;
}

function hintValue(options: Deno.lint.Node): Expression | undefined {
  if (options.type !== "ObjectExpression") return undefined;
  for (const property of options.properties) {
    const isHint = property.type === "Property" &&
      property.key.type === "Identifier" && property.key.name === "hint";
    if (isHint) return property.value as Expression;
  }
  return undefined;
}

function endsWithPeriod(pieces: readonly Piece[]): boolean {
  const last = pieces.at(-1);
  // "cd .." and "git add ." are commands, not sentences.
  return last?.kind === "text" && /(?:^|[^.\s/])\.\s*$/.test(last.text);
}

const appErrorMessage: Deno.lint.Rule = {
  create(context) {
    return {
      NewExpression(node) {
        const { callee } = node;
        if (callee.type !== "Identifier" || callee.name !== "AppError") return;
        const [, message, options] = node.arguments;
        if (message !== undefined && message.type !== "SpreadElement") {
          const problem = variantsOf(message).map(messageProblem)
            .find((text) => text !== undefined);
          if (problem) context.report({ node: message, message: problem });
        }
        const hint = options && hintValue(options);
        if (hint && variantsOf(hint).some(endsWithPeriod)) {
          context.report({ node: hint, message: "A hint has no final period" });
        }
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "messages",
  rules: { "app-error-message": appErrorMessage },
};
export default plugin;
