/** `${…}` in MCP declarations. */
import { secretKeyProblem } from "../base/secret_key.ts";

/** One reference found in a text. */
export type Reference =
  | { readonly kind: "secret"; readonly key: string }
  | { readonly kind: "env"; readonly name: string; readonly optional: boolean }
  | { readonly kind: "invalid"; readonly text: string };

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The references in `text`: `${secret:KEY}`, `${env:VAR}`, `${VAR}`, `${VAR:-default}`. Anything else in `${…}` is invalid. */
export function findReferences(text: string): Reference[] {
  return [...text.matchAll(/\$\{([^}]*)(\}?)/g)].map(([whole, body, end]) => {
    if (end === "") return { kind: "invalid", text: whole };
    return parseReference(body!) ?? { kind: "invalid", text: whole };
  });
}

function parseReference(body: string): Reference | undefined {
  if (body.startsWith("secret:")) {
    const key = body.slice("secret:".length);
    return secretKeyProblem(key) === undefined
      ? { kind: "secret", key }
      : undefined;
  }
  const cut = body.indexOf(":-");
  const bare = body.startsWith("env:")
    ? body.slice("env:".length)
    : cut < 0
    ? body
    : body.slice(0, cut);
  if (!VARIABLE.test(bare)) return undefined;
  return { kind: "env", name: bare, optional: cut >= 0 };
}

/** `text` with `${env:VAR}` written as `${VAR}`, the form that agents expand themselves, so that no value lands in a file. */
export function toAgentForm(text: string): string {
  return text.replace(/\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}/g, "${$1}");
}

/** `text` with each reference replaced by what `fill` gives for it. A variable comes with the default that stands after it. */
export function fillReferences(
  text: string,
  fill: {
    readonly secret: (key: string) => string;
    readonly variable: (name: string, fallback: string | undefined) => string;
  },
): string {
  return text.replace(/\$\{([^}]*)\}/g, (whole, body: string) => {
    const reference = parseReference(body);
    if (reference?.kind === "secret") return fill.secret(reference.key);
    if (reference?.kind !== "env") return whole;
    const cut = body.indexOf(":-");
    return fill.variable(
      reference.name,
      cut < 0 ? undefined : body.slice(cut + 2),
    );
  });
}
