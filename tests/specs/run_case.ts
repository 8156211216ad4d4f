/** Runs one case against the compiled binary and says what is not as the spec expects. */

import { run } from "../support/process.ts";
import type { Expected, Spec, Step, Text } from "./spec.ts";
import { fillIn, generalise, matches } from "./text.ts";
import { exists, mergeEnv, NOBODY, World } from "./world.ts";

/** Where an expectation stands in its spec, and what it should have been. */
export interface Correction {
  readonly path: readonly (string | number)[];
  readonly actual: string;
}

/** The outcome of a case. */
export interface Findings {
  readonly problems: readonly string[];
  /** Outputs that differ, for `UPDATE=1`. */
  readonly corrections: readonly Correction[];
}

/** How a case is run. */
export interface CaseOptions {
  /** The case's directory. */
  readonly directory: string;
  readonly version: string;
  /** Umask of every step, in octal. */
  readonly umask: string;
}

/** Words after which the agent would have been started. */
const LAUNCHES = ["claude", "run", "exec", "verify"];

/** Runs the steps in order in a world of their own. Stops at the first that fails. */
export async function runCase(
  spec: Spec,
  options: CaseOptions,
): Promise<Findings> {
  using world = new World(spec, options);
  const problems: string[] = [];
  const corrections: Correction[] = [];
  for (const [index, step] of spec.steps.entries()) {
    world.prepare(step.setup ?? {});
    for (const words of callsOf(step)) {
      const call = new Call(spec, step, { world, words, umask: options.umask });
      const found = await call.run();
      const place = `step ${index + 1}: ${words.join(" ")}`;
      problems.push(...found.problems.map((text) => `${place}\n${text}`));
      for (const { path, actual } of found.corrections) {
        corrections.push({ path: ["steps", index, ...path], actual });
      }
    }
    if (problems.length > 0 && corrections.length === 0) break;
  }
  problems.push(...world.problems());
  return { problems, corrections };
}

/** The words of each call of a step: `aenv …`, `claude …` or `sh …`. */
function callsOf(step: Step): string[][] {
  if (step.args) return [["aenv", ...step.args]];
  if (step.claude) return [["claude", ...step.claude]];
  if (step.shell) return [["sh"]];
  return (step.each ?? []).map((words) =>
    words[0] === "claude" ? [...words] : ["aenv", ...words]
  );
}

interface CallOptions {
  readonly world: World;
  readonly words: readonly string[];
  readonly umask: string;
}

class Call {
  readonly #problems: string[] = [];
  readonly #corrections: Correction[] = [];
  readonly #spec: Spec;
  readonly #step: Step;
  readonly #world: World;
  readonly #words: readonly string[];
  readonly #umask: string;

  constructor(spec: Spec, step: Step, { world, words, umask }: CallOptions) {
    this.#spec = spec;
    this.#step = step;
    this.#world = world;
    this.#words = words;
    this.#umask = umask;
  }

  async run(): Promise<Findings> {
    const { env, places } = this.#world;
    const { "[CWD]": cwd } = places;
    const variables = mergeEnv(env, this.#step.env ?? {}, places);
    const [program, ...args] = this.#command(variables);
    const { code, stdout, stderr } = await run(program!, args, {
      env: variables,
      cwd: this.#step.cwd ? this.#world.path(this.#step.cwd) : cwd!,
      stdin: fillIn(this.#step.stdin ?? "", this.#world.places),
      timeoutMs: 120_000,
    });
    this.#compareText("stdout", stdout);
    this.#compareText("stderr", stderr);
    const expected = this.#expectedCode();
    if (code !== expected) {
      this.#problems.push(
        `  exit code ${code}, expected ${expected}\n  stderr: ${stderr}`,
      );
    }
    this.#compareMark();
    for (const [path, content] of Object.entries(this.#step.files ?? {})) {
      this.#compareFile(path, content);
    }
    return { problems: this.#problems, corrections: this.#corrections };
  }

  /** The whole command line: the umask and the user are set on the way to the program. */
  #command(variables: Readonly<Record<string, string>>): string[] {
    const { places } = this.#world;
    const words = this.#words.map((word) => fillIn(word, places));
    const [name, ...args] = words;
    const target = name === "sh"
      ? ["/bin/sh", "-c", fillIn(this.#world.text(this.#step.shell!), places)]
      : [
        `${places["[SHIMS]"]}/${name}`,
        ...args,
      ];
    const script = `umask ${this.#umask}; exec "$@"`;
    const wrapped = ["/bin/sh", "-c", script, "sh", ...target];
    if (this.#spec.mounts) return [...mountCommand(variables), ...wrapped];
    if (!this.#spec.unprivileged || Deno.uid() !== 0) return wrapped;
    const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
    return ["/usr/bin/setpriv", ...ids, ...wrapped];
  }

  #expectedCode(): number {
    if (!this.#step.refused) return this.#step.exitCode ?? 0;
    const [first, second] = this.#words;
    return LAUNCHES.includes((first === "aenv" ? second : first) ?? "") ? 3 : 1;
  }

  #compareText(name: "stdout" | "stderr", output: string): void {
    const expected = this.#world.text(this.#step[name] ?? "");
    const actual = generalise(output, this.#world.places);
    if (matches(actual, expected)) return;
    this.#problems.push(
      `  ${name} is\n${indent(actual)}\n  expected\n${indent(expected)}`,
    );
    this.#corrections.push({ path: [name], actual });
  }

  #compareMark(): void {
    const started = this.#world.takeMark();
    if (started === (this.#step.agentStarted ?? false)) return;
    this.#problems.push(
      started ? "  the agent was started" : "  the agent was not started",
    );
  }

  #compareFile(path: string, expected: Expected): void {
    const { places } = this.#world;
    const { kind, text, link } = describePath(this.#world.path(path));
    if (typeof expected === "string" || Array.isArray(expected)) {
      const wanted = this.#world.text(expected as Text);
      const actual = text === undefined ? undefined : generalise(text, places);
      if (actual !== undefined && matches(actual, wanted)) return;
      this.#corrections.push({ path: ["files", path], actual: actual ?? "" });
      this.#problems.push(
        `  ${path} is a ${kind}\n${indent(actual ?? "")}\n  expected\n${
          indent(wanted)
        }`,
      );
      return;
    }
    const isRight = expected === null
      ? kind === "nothing"
      : "dir" in expected
      ? kind === "directory"
      : "link" in expected && link === fillIn(expected.link, places);
    if (isRight) return;
    this.#problems.push(
      `  ${path} is ${kind} ${JSON.stringify(text ?? link)}, expected ${
        JSON.stringify(expected)
      }`,
    );
  }
}

interface Described {
  readonly kind: "nothing" | "file" | "directory" | "link";
  readonly text?: string;
  readonly link?: string;
}

function describePath(path: string): Described {
  if (!exists(path)) return { kind: "nothing" };
  const info = Deno.lstatSync(path);
  if (info.isSymlink) return { kind: "link", link: Deno.readLinkSync(path) };
  return info.isFile
    ? { kind: "file", text: Deno.readTextFileSync(path) }
    : { kind: "directory" };
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, "    | ");
}

/** Root in a mount namespace: as root, through a user namespace, or through sudo, which would clear the variables. */
function mountCommand(variables: Readonly<Record<string, string>>): string[] {
  if (Deno.uid() === 0) return ["/usr/bin/unshare", "-m"];
  const probe = new Deno.Command("/usr/bin/unshare", { args: ["-rm", "true"] });
  if (probe.outputSync().success) return ["/usr/bin/unshare", "-rm"];
  const pairs = Object.entries(variables).map(([name, value]) =>
    `${name}=${value}`
  );
  const sudo = ["/usr/bin/sudo", "-n", "/usr/bin/unshare", "-m"];
  return [...sudo, "/usr/bin/env", "-i", ...pairs];
}
