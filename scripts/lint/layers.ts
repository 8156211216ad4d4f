/** Lint plugin `layers`: which module may import which, and who may touch the outside world. */

import {
  importProblem,
  isTestPath,
  layerOf,
  placeOf,
  repositoryPath,
  resolveImport,
} from "./modules.ts";

/** Globals that read or change something outside the program, or give another answer at each call. */
const EFFECTS: ReadonlySet<string> = new Set([
  "Deno",
  "EventSource",
  "WebSocket",
  "Worker",
  "XMLHttpRequest",
  "alert",
  "confirm",
  "console",
  "crypto",
  "fetch",
  "globalThis",
  "localStorage",
  "navigator",
  "performance",
  "process",
  "prompt",
  "sessionStorage",
  "setInterval",
  "setTimeout",
]);

/** Node modules without effects. */
const PURE_NODE_MODULES: ReadonlySet<string> = new Set([
  "node:path",
  "node:path/posix",
  "node:path/win32",
]);

/** The parts of a syntax node that the walk below looks at. */
interface Parented {
  readonly type: string;
  readonly parent?: Parented;
  readonly [key: string]: unknown;
}

const importDirection: Deno.lint.Rule = {
  create(context) {
    const path = repositoryPath(context.filename);
    const check = (node: Deno.lint.Node, specifier: string | undefined) => {
      const to = specifier && resolveImport(path, specifier);
      const problem = to && importProblem(path, to);
      if (problem) context.report({ node, message: problem });
    };
    return {
      Program(node) {
        const place = placeOf(path);
        if (place.kind === "stray") {
          const message = "A file of src/ belongs into a module's folder";
          context.report({ node, message });
        }
        if (place.kind === "module" && layerOf(place.name) < 0) {
          const message =
            `src/${place.name} is not in the layer table of scripts/lint/modules.ts`;
          context.report({ node, message });
        }
      },
      ImportDeclaration: (node) => check(node, node.source.value),
      ExportNamedDeclaration: (node) => check(node, node.source?.value),
      ExportAllDeclaration: (node) => check(node, node.source.value),
      ImportExpression(node) {
        const { source } = node;
        if (source.type === "Literal" && typeof source.value === "string") {
          return check(node, source.value);
        }
        if (isTestPath(path)) return;
        const message =
          "import() takes a literal: a computed name is looked up in the real file system";
        context.report({ node, message });
      },
    };
  },
};

const effectsInOs: Deno.lint.Rule = {
  create(context) {
    const path = repositoryPath(context.filename);
    const place = placeOf(path);
    const isFree = isTestPath(path) || !path.startsWith("src/") ||
      (place.kind === "module" && place.name === "os");
    if (isFree) return {};
    const declared = new Set<string>();
    const uses: { node: Deno.lint.Node; name: string }[] = [];
    const reportUses = () => {
      for (const { node, name } of uses) {
        if (declared.has(name)) continue;
        context.report({ node, message: `Only src/os may use ${name}` });
      }
    };
    return {
      ImportDeclaration(node) {
        const name = node.source.value;
        const isPure = node.importKind === "type" ||
          !name.startsWith("node:") || PURE_NODE_MODULES.has(name);
        if (isPure) return;
        context.report({ node, message: `Only src/os may import ${name}` });
      },
      Identifier(node) {
        if (isDeclaration(node as unknown as Parented)) {
          declared.add(node.name);
          return;
        }
        const used = effectOf(node as unknown as Parented, node.name);
        if (used !== undefined) uses.push({ node, name: used });
      },
      "Program:exit": reportUses,
    };
  },
};

/** What effect an identifier stands for here, in the words of the report. */
function effectOf(node: Parented, name: string): string | undefined {
  if (isNameOnly(node)) return undefined;
  const parent = node.parent!;
  if (name === "Date") return clockRead(node, parent);
  const isMember = parent.type === "MemberExpression" && parent.object === node;
  const member = isMember ? identifierName(parent.property) : undefined;
  if (name === "Math") return member === "random" ? "Math.random" : undefined;
  // Error classes are values to compare with, not an effect.
  if (name === "Deno" && member === "errors") return undefined;
  return EFFECTS.has(name) ? name : undefined;
}

function clockRead(node: Parented, parent: Parented): string | undefined {
  const isCalled = "callee" in parent && parent.callee === node;
  if (isCalled && parent.type === "CallExpression") return "Date()";
  if (isCalled && Array.isArray(parent.arguments)) {
    return parent.arguments.length === 0 ? "new Date()" : undefined;
  }
  return identifierName(parent.property) === "now" ? "Date.now" : undefined;
}

function identifierName(value: unknown): string | undefined {
  const node = value as { type?: string; name?: string } | undefined;
  return node?.type === "Identifier" ? node.name : undefined;
}

/** True where the identifier names a property, a type or a label, not a value. */
function isNameOnly(node: Parented): boolean {
  const parent = node.parent;
  if (parent === undefined) return true;
  if (/^TS(?!AsExpression|NonNull|Satisfies|TypeAssertion)/.test(parent.type)) {
    return true;
  }
  if (parent.type === "MemberExpression") {
    return parent.property === node && parent.computed !== true;
  }
  const isKey = parent.key === node && parent.computed !== true &&
    parent.value !== node;
  return isKey || parent.type.endsWith("Specifier");
}

/** True where the identifier makes a local name that hides the global one. */
function isDeclaration(node: Parented): boolean {
  const parent = node.parent;
  if (parent === undefined) return false;
  switch (parent.type) {
    case "VariableDeclarator":
    case "FunctionDeclaration":
      return parent.id === node || isParameter(node, parent);
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return isParameter(node, parent);
    case "ImportSpecifier":
      return parent.local === node;
    case "AssignmentPattern":
      return parent.left === node;
    case "Property":
      return parent.value === node && isPattern(parent.parent);
    default:
      return false;
  }
}

function isParameter(node: Parented, parent: Parented): boolean {
  return Array.isArray(parent.params) && parent.params.includes(node);
}

function isPattern(node: Parented | undefined): boolean {
  return node?.type === "ObjectPattern";
}

const plugin: Deno.lint.Plugin = {
  name: "layers",
  rules: {
    "import-direction": importDirection,
    "effects-in-os": effectsInOs,
  },
};
export default plugin;
