/** Lint plugin `budgets`: sizes of files and functions, doc comments, `function` at the top level. */

import { isTestPath, placeOf, repositoryPath } from "./modules.ts";

const MAX_FILE_LINES = 400;
const MAX_TEST_FILE_LINES = 500;
const MAX_FUNCTION_LINES = 60;
/** Two positional ones and an options object. */
const MAX_PARAMETERS = 3;

type FunctionNode =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

function countLines(text: string): number {
  return text.split("\n").length;
}

const fileLength: Deno.lint.Rule = {
  create(context) {
    return {
      Program(node) {
        const isTest = isTestPath(repositoryPath(context.filename));
        const max = isTest ? MAX_TEST_FILE_LINES : MAX_FILE_LINES;
        const lines = countLines(context.sourceCode.text.trimEnd());
        if (lines <= max) return;
        const message = `The file has ${lines} lines; at most ${max} may be`;
        context.report({ node, message });
      },
    };
  },
};

const functionLength: Deno.lint.Rule = {
  create(context) {
    const check = (node: FunctionNode) => {
      const lines = countLines(context.sourceCode.getText(node));
      if (lines > MAX_FUNCTION_LINES) {
        const message =
          `The function has ${lines} lines; at most ${MAX_FUNCTION_LINES} may be`;
        context.report({ node, message });
      }
      const isNamed = node.type === "FunctionDeclaration";
      if (isNamed && node.params.length > MAX_PARAMETERS) {
        const message =
          `The function has ${node.params.length} parameters; take two and an options object`;
        context.report({ node, message });
      }
    };
    return {
      FunctionDeclaration: check,
      FunctionExpression: check,
      ArrowFunctionExpression: check,
    };
  },
};

const exportedDocs: Deno.lint.Rule = {
  create(context) {
    const path = repositoryPath(context.filename);
    const place = placeOf(path);
    if (isTestPath(path) || place.kind === "outside") return {};
    const documented = new Set<string>();
    return {
      ExportNamedDeclaration(node) {
        const { declaration } = node;
        if (!declaration) return;
        const names = declaredNames(declaration);
        // Overloads share the comment of the first one.
        if (names.some((name) => documented.has(name))) return;
        const before = context.sourceCode.text.slice(0, node.range[0])
          .trimEnd();
        if (!endsWithDocComment(before)) {
          const message = `Exported ${names.join(", ")} has no doc comment`;
          context.report({ node, message });
        }
        for (const name of names) documented.add(name);
      },
    };
  },
};

function endsWithDocComment(text: string): boolean {
  return text.endsWith("*/") &&
    text.startsWith("/**", text.lastIndexOf("/*"));
}

function declaredNames(declaration: Deno.lint.Node): string[] {
  const ids = declaration.type === "VariableDeclaration"
    ? declaration.declarations.map((item) => item.id)
    : "id" in declaration
    ? [declaration.id]
    : [];
  return ids.map((id) => id?.type === "Identifier" ? id.name : "declaration");
}

const noTopLevelArrow: Deno.lint.Rule = {
  create(context) {
    if (isTestPath(repositoryPath(context.filename))) return {};
    const check = (statement: Deno.lint.Node) => {
      if (statement.type !== "VariableDeclaration") return;
      for (const { id, init } of statement.declarations) {
        if (init?.type !== "ArrowFunctionExpression") continue;
        if (id.type !== "Identifier") continue;
        // A declaration could not be given the type of a whole function.
        if (id.typeAnnotation) continue;
        const message = `Write ${id.name} as a function declaration`;
        context.report({ node: statement, message });
      }
    };
    return {
      Program(node) {
        for (const statement of node.body) {
          check(statement);
          const isExport = statement.type === "ExportNamedDeclaration";
          if (isExport && statement.declaration) check(statement.declaration);
        }
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "budgets",
  rules: {
    "file-length": fileLength,
    "function-length": functionLength,
    "exported-docs": exportedDocs,
    "no-top-level-arrow": noTopLevelArrow,
  },
};
export default plugin;
