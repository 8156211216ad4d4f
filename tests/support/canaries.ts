/** Tokens that show up in what an agent sends or runs, when the item that carries them was loaded. */

import type { StubApi } from "./stub_api.ts";

/** Everything an agent gave away in one run. */
export interface Evidence {
  /** All requests (path, headers, body), and the names and contents of the mark files. */
  readonly text: string;
  /** The tools that the model was offered. */
  readonly tools: ReadonlySet<string>;
}

/** One item whose loading can be proved. */
export interface Canary {
  readonly name: string;
  /** Whether the run that left this evidence had loaded the item. */
  readonly isIn: (evidence: Evidence) => boolean;
}

/** Hands out tokens and remembers what they stand for. */
export class CanaryList {
  readonly canaries: Canary[] = [];
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** A new token: usable as a file name, a skill name and a word. */
  add(name: string): string {
    // The ending keeps a token from being the beginning of another one.
    const token = `${this.#prefix}-${name}-z`;
    this.addTest(name, ({ text }) => text.includes(token));
    return token;
  }

  /** A canary that is proved by something else than a token. */
  addTest(name: string, isIn: Canary["isIn"]): void {
    if (this.canaries.some((canary) => canary.name === name)) {
      throw new Error(`Two canaries are named ${name}`);
    }
    this.canaries.push({ name, isIn });
  }
}

/** Reads what a run left at the stub and in the mark files. */
export function gatherEvidence(stub: StubApi, marks: string): Evidence {
  const parts = stub.requests.map(({ path, headers, body }) =>
    [path, JSON.stringify(headers), body].join("\n")
  );
  for (const { name } of Deno.readDirSync(marks)) {
    parts.push(name, Deno.readTextFileSync(`${marks}/${name}`));
  }
  return { text: parts.join("\n"), tools: stub.offeredTools() };
}

/** Names of the canaries that the evidence shows. */
export function namesIn(
  evidence: Evidence,
  canaries: readonly Canary[],
): readonly string[] {
  return canaries.filter(({ isIn }) => isIn(evidence)).map(({ name }) => name);
}
