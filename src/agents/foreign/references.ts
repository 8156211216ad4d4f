/** `${…}` in declarations of other programs. */
import { quote } from "../../base/text.ts";

/** A value that an editor asks its user for: `inputs` of VS Code. */
export interface Input {
  readonly id: string;
  readonly kind: "secret" | "text" | "unusable";
  readonly description: string;
  readonly fallback: string | undefined;
}

/** Where a text stands, as far as its references depend on it. */
export interface TextPlace {
  /** Names it in notes: `env TOKEN`. */
  readonly what: string;
  /** Whether paths relative to the server's directory mean something there. */
  readonly isLocal: boolean;
}

/** What a reference means. */
export interface ReferenceContext {
  readonly isOwn: boolean;
  readonly inputs: ReadonlyMap<string, Input>;
  note(text: string): void;
  problem(text: string): void;
  /** Returns the key for an input that is a secret. */
  ask(input: Input): string;
  /** Called when a text means the workspace. */
  useWorkspace(): void;
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const WORKSPACE = new Set([
  "workspaceFolder",
  "workspaceRoot",
  "CLAUDE_PROJECT_DIR",
]);

/** `text` with its references as our manifest has them. What has no counterpart is a problem, and stays as it is. */
export function convertReferences(
  text: string,
  place: TextPlace,
  context: ReferenceContext,
): string {
  return text.replace(
    /\$\{([^}]*)(\}?)/g,
    (whole: string, body: string, end: string, at: number) => {
      const converted = end === ""
        ? undefined
        : convert(body, { text, at, place, context });
      if (converted !== undefined) return converted;
      // Anything else may be a part of a password.
      const isKnownKind = /^\$\{[A-Za-z]+:[\w.-]*\}$/.test(whole);
      context.problem(
        `${place.what} has ${
          quote(isKnownKind ? whole : "${")
        }, which means nothing here`,
      );
      return whole;
    },
  );
}

interface Spot {
  readonly text: string;
  readonly at: number;
  readonly place: TextPlace;
  readonly context: ReferenceContext;
}

function convert(body: string, spot: Spot): string | undefined {
  const { place, context } = spot;
  if (body.startsWith("secret:")) {
    if (context.isOwn) return `\${${body}}`;
    context.problem(
      `${place.what} asks for the secret ${
        quote(body.slice("secret:".length))
      }, which only you can hand to a server`,
    );
    return `\${${body}}`;
  }
  if (body.startsWith("input:")) {
    return convertInput(body.slice("input:".length), spot);
  }
  if (WORKSPACE.has(body)) return workspacePath(spot);
  if (body === "userHome") return "${env:HOME}";
  if (body === "/" || body === "pathSeparator") return "/";
  return isVariable(body) ? `\${${body}}` : undefined;
}

function isVariable(body: string): boolean {
  const cut = body.indexOf(":-");
  if (body.startsWith("env:")) return VARIABLE.test(body.slice("env:".length));
  return VARIABLE.test(cut < 0 ? body : body.slice(0, cut));
}

function convertInput(id: string, { place, context }: Spot): string {
  const input = context.inputs.get(id);
  if (input === undefined || input.kind === "unusable") {
    const state = input === undefined
      ? "which is not described"
      : "which a program of the editor would give";
    context.problem(`${place.what} asks for the input ${quote(id)}, ${state}`);
    return "";
  }
  if (input.kind === "secret") return `\${secret:${context.ask(input)}}`;
  const name = variableName(id);
  const isPlain = input.fallback !== undefined &&
    !/[}\0]/.test(input.fallback);
  context.note(
    `the input ${quote(id)} is the variable ${name} here` +
      (isPlain ? ", with its default" : ": set it before you start the agent"),
  );
  return isPlain ? `\${${name}:-${input.fallback}}` : `\${env:${name}}`;
}

function variableName(id: string): string {
  const name = id.replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_").toUpperCase();
  return /^[0-9]/.test(name) || name === "" ? `_${name}` : name;
}

/** A path below the workspace is written relative to it, and the server started there. */
function workspacePath({ text, at, place, context }: Spot): string {
  const before = text[at - 1];
  if (!place.isLocal || (before !== undefined && !"=,:;".includes(before))) {
    context.problem(
      `${place.what} needs the absolute path of the workspace, which is another on each machine`,
    );
    return "";
  }
  context.useWorkspace();
  return ".";
}
