import { parseSecretKey } from "../../base/secret_key.ts";
import { shellWord } from "../../base/text.ts";
import {
  activeEnv,
  keepSecret,
  listSecrets,
  type OpenEnv,
  removeSecret,
  requireNamed,
  requireSecret,
  type SecretPlace,
  type SecretUse,
} from "../../env/mod.ts";
import type { Host } from "../../os/host.ts";
import {
  type Command,
  type Input,
  type Outcome,
  textOption,
} from "../command.ts";
import { readSecretValue } from "../secret_input.ts";

const KEY = { name: "key", summary: "Its key, such as gh-token" } as const;
const STDIN = {
  name: "-",
  summary: "Read all of standard input",
  optional: true,
} as const;

/** `aenv secrets add`. */
export const add: Command = {
  words: {
    arguments: [KEY, STDIN],
    env: true,
    examples: [
      "aenv secrets add gh-token",
      "aenv secrets add deploy-key < ~/.ssh/deploy_key",
      "gh auth token | aenv secrets add gh-token -",
    ],
  },
  run: (input, host) => keep("add", input, host),
};

/** `aenv secrets rotate`. */
export const rotate: Command = {
  words: {
    arguments: [KEY, STDIN],
    env: true,
    examples: [
      "aenv secrets rotate gh-token",
      "gh auth token | aenv secrets rotate gh-token -",
    ],
  },
  run: (input, host) => keep("rotate", input, host),
};

async function keep(
  action: "add" | "rotate",
  input: Input,
  host: Host,
): Promise<Outcome> {
  const { env, place } = envOf(input, host, "keep secrets in");
  const key = parseSecretKey(input.args[0]!);
  // Before anybody types a value for nothing.
  await requireSecret(env, { key, exists: action === "rotate" }, place);
  const value = readSecretValue(key, input.args[1], host);
  const backend = await keepSecret(env, { key, value, action }, place);
  const words = action === "add" ? "kept secret" : "replaced secret";
  return {
    data: { key, env: env.label, backend },
    text: () =>
      `${words} ${key} of environment ${env.label} in ${placeWords(backend)}`,
  };
}

/** `aenv secrets rm`. */
export const rm: Command = {
  words: {
    arguments: [KEY],
    env: true,
    examples: ["aenv secrets rm gh-token"],
  },
  async run(input, host) {
    const { env, place } = envOf(input, host, "remove secrets of");
    const key = parseSecretKey(input.args[0]!);
    const { backend, wasKept } = await removeSecret(env, key, place);
    return {
      data: { key, env: env.label, backend, wasKept },
      text: () =>
        wasKept
          ? `removed secret ${key} of environment ${env.label} from ${
            placeWords(backend)
          }`
          : `forgot secret ${key} of environment ${env.label}; ${
            placeWords(backend)
          } had it no more`,
    };
  },
};

/** `aenv secrets list`. */
export const list: Command = {
  words: {
    env: true,
    examples: ["aenv secrets list", "aenv secrets list -E work --json"],
  },
  async run(input, host) {
    const { env, place } = envOf(input, host, "list secrets of");
    const { rows, problem } = await listSecrets(env, place);
    if (problem !== undefined) host.notice(`aenv: ${problem.message}`);
    return { data: rows, text: () => listText(rows, env, input) };
  },
};

function envOf(
  input: Input,
  host: Host,
  action: string,
): { env: OpenEnv; place: SecretPlace } {
  const { env, dirs } = activeEnv(host, textOption(input, "env"));
  return { env: requireNamed(env, action), place: { host, dirs } };
}

function listText(
  rows: readonly SecretUse[],
  env: OpenEnv,
  input: Input,
): string {
  const option = textOption(input, "env");
  const where = option === undefined ? "" : ` -E ${shellWord(option)}`;
  if (rows.length === 0) return `environment ${env.label} has no secrets`;
  const width = Math.max(...rows.map(({ key }) => key.length));
  return rows.map((row) => {
    const uses = row.usedBy.length === 0
      ? ""
      : `, used by ${row.usedBy.join(", ")}`;
    return `${row.key.padEnd(width)}  ${stateWords(row, where)}${uses}`;
  }).join("\n");
}

function stateWords(
  { origin, state, key }: SecretUse,
  where: string,
): string {
  switch (state) {
    case "kept":
      return `in ${placeWords(origin)}`;
    case "declared":
      return "from a command in the manifest";
    case "missing":
      return `missing: aenv secrets add ${key}${where}`;
    case "unknown":
      return `perhaps in ${placeWords(origin)}, which cannot be asked`;
  }
}

function placeWords(origin: SecretUse["origin"]): string {
  return origin === "file" ? "the secrets file" : `the ${origin}`;
}
