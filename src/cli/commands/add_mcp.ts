import { foreign } from "../../agents/mod.ts";
import { AppError } from "../../base/errors.ts";
import { parseItemName } from "../../base/ids.ts";
import type { ServerTable } from "../../base/server_table.ts";
import { quote } from "../../base/text.ts";
import {
  activeEnv,
  hostDirs,
  importServers,
  KeyNames,
  type OpenEnv,
  performAddition,
  planAddition,
  requireImportable,
  requireNamed,
  selectServers,
  takenKeys,
} from "../../env/mod.ts";
import { hasServer } from "../../manifest/mod.ts";
import { readInput } from "../../os/hidden_input.ts";
import type { Host } from "../../os/host.ts";
import {
  type Command,
  type Input,
  listOption,
  type Outcome,
  textOption,
} from "../command.ts";
import { tellClosed } from "../closed_servers.ts";
import { installEdited } from "../install_outcome.ts";
import { placeCredentials, SECRET_MODES } from "../mcp_credentials.ts";
import { type Addition, additionOf, additionOutcome } from "../mcp_outcome.ts";
import { normalizeMcpWords, typedServer } from "../mcp_words.ts";

/** Most bytes of a declaration on standard input. */
const MAX_PIPED = 1024 * 1024;

/** `aenv add mcp`. */
export const command: Command = {
  words: {
    arguments: [{
      name: "words",
      summary: "Its name, then its command and arguments, or its url",
      optional: true,
      variadic: true,
    }],
    options: [
      {
        flags: "-t, --transport <transport>",
        summary: "How it is reached; stdio unless given",
        choices: ["stdio", "http", "sse", "streamable-http"],
      },
      { flags: "-e, --env <kv...>", summary: "A variable of it: NAME=VALUE" },
      { flags: "-H, --header <header...>", summary: 'A header: "NAME: VALUE"' },
      {
        flags: "-s, --scope <scope>",
        summary: "Taken and not needed: the scope is the environment",
        choices: ["local", "user", "project"],
      },
      {
        flags: "--server <json>",
        summary:
          "The server as JSON, or - to read it; the same as --json '{…}'",
      },
      {
        flags: "--from <source>",
        summary:
          "Import: claude-desktop, claude-code, cursor, vscode, project, cursor-deeplink:URL, vscode-deeplink:URL or a file",
      },
      {
        flags: "--select <names...>",
        summary: "Of these import only: NAME, or NAME=OTHER to rename it",
      },
      {
        flags: "--secrets <what>",
        summary:
          "Credentials in plain text: to the keyring, refused, or kept as they are",
        choices: [...SECRET_MODES],
      },
      { flags: "--dry-run", summary: "Only say what would be added" },
      {
        flags: "-E <env>",
        summary: "Environment: a name, or a path to its aenv.toml",
      },
      ...["--client-id <id>", "--callback-port <port>", "--client-secret"].map(
        (flags) => ({ flags, summary: "Refused: log in through the agent" }),
      ),
    ],
    examples: [
      "aenv add mcp --transport http sentry https://mcp.sentry.dev/mcp",
      "aenv add mcp my-server -e API_KEY=xxx -- node ./my-server.js",
      'aenv add mcp docs --json \'{"command":"npx","args":["-y","docs"]}\'',
      "aenv add mcp --from claude-desktop --select github",
    ],
    normalize: normalizeMcpWords,
  },
  async run(input, host) {
    refuseOauth(input);
    const { env } = activeEnv(host, textOption(input, "E"));
    const opened = requireNamed(env, "add to");
    const job = { input, env: opened, host };
    const from = textOption(input, "from");
    const found = from === undefined
      ? await typedAdditions(job)
      : await imported(from, job);
    return await add(found, job);
  },
};

interface Job {
  readonly input: Input;
  readonly env: OpenEnv;
  readonly host: Host;
}

/** Writes what is new, unless only that was asked. */
async function add(
  found: readonly Addition[],
  { input, env, host }: Job,
): Promise<Outcome> {
  const dirs = hostDirs(host);
  const additions = found.filter((one) => !hasServer(env.manifest, one));
  const same = found.filter((one) => !additions.includes(one))
    .map(({ name }) => name);
  const mode = textOption(input, "secrets");
  const place = placeCredentials(additions, mode, host);
  const plan = await planAddition(
    env,
    additions,
    place === "keyring" ? await freeKeys(found, env, host) : undefined,
  );
  const written = additions.map((one, i) => ({ ...one, ...plan.servers[i]! }));
  const report = { additions: written, moved: plan.moved, same };
  if (input.options["dryRun"] === true || additions.length === 0) {
    return additionOutcome(report, undefined);
  }
  explainScope(input, env, host);
  // Only what the user typed was seen by them: an import of a trusted project is shown by `aenv trust` first.
  const touches = written.map(({ name, from }) =>
    from === undefined ? `mcp server ${name}` : "what another program declares"
  );
  const done = await performAddition(env, plan, {
    host,
    dirs,
    write: () =>
      installEdited(env, { text: plan.text, touches }, {
        host,
        command: "add",
      }),
  });
  const servers = written.filter(({ table }) => !table.disabled)
    .map(({ name, table: { command, args = [], cwd } }) => ({
      name,
      words: command === undefined ? [] : args,
      cwd,
    }));
  await tellClosed(servers, env, { host, option: textOption(input, "E") });
  return additionOutcome(report, done);
}

/** Keys that are not kept, not in the manifest and not in what is to be added. */
async function freeKeys(
  found: readonly Addition[],
  env: OpenEnv,
  host: Host,
): Promise<KeyNames> {
  const names = await takenKeys(env, { host, dirs: hostDirs(host) });
  for (const { asked } of found) for (const { key } of asked) names.take(key);
  return names;
}

async function typedAdditions(job: Job): Promise<Addition[]> {
  const { input } = job;
  const { words, json } = typedWords(input);
  const [name, ...rest] = words;
  if (json !== undefined) return await jsonAdditions(name, json, job);
  if (name === undefined) {
    throw new AppError("USAGE", 'Cannot run "aenv add mcp": it has no name', {
      hint: "See its words: aenv add mcp --help",
    });
  }
  const table = typedServer(name, {
    transport: textOption(input, "transport"),
    env: listOption(input, "env"),
    headers: listOption(input, "header"),
    words: rest,
  });
  return [addition(parseItemName(name), table)];
}

function addition(name: string, table: ServerTable): Addition {
  return { name, table, from: undefined, notes: [], asked: [] };
}

/** `claude mcp add` with `claude` replaced has an `add` of its own. */
function typedWords(
  input: Input,
): { words: readonly string[]; json: string | undefined } {
  const server = textOption(input, "server");
  const [first, ...rest] = input.args;
  if (first === "add-json") {
    if (rest.length !== 2 || server !== undefined) {
      throw new AppError(
        "USAGE",
        'Cannot run "aenv add mcp add-json": it takes a name and a text',
        { hint: "Type: aenv add mcp add-json NAME '{…}'" },
      );
    }
    return { words: rest.slice(0, 1), json: rest[1] };
  }
  const isVerb = first === "add" && rest.length > 1;
  return { words: isVerb ? rest : input.args, json: server };
}

async function jsonAdditions(
  name: string | undefined,
  json: string,
  job: Job,
): Promise<Addition[]> {
  const from = "the command line";
  const text = {
    text: json === "-" ? readPipe() : json,
    from,
    comments: false,
    ...(name === undefined ? {} : { name }),
  };
  const servers = await withKeys(
    job,
    (secretKey) =>
      foreign.foreignServers(text, {
        secretKey,
        hasWorkspace: job.env.scope === "project",
        isOwn: true,
      }),
  );
  const isOther = servers.length !== 1 || servers[0]!.found !== name;
  if (name !== undefined && isOther) {
    throw new AppError(
      "USAGE",
      `Cannot add ${quote(name)}: the JSON names its servers itself`,
      { hint: "Leave out the name, or give the JSON of one server" },
    );
  }
  requireImportable(servers, "add");
  return servers.map((server) => ({ ...additionOf(server), from: undefined }));
}

function readPipe(): string {
  const bytes = readInput(MAX_PIPED);
  if (bytes !== undefined) return new TextDecoder().decode(bytes);
  throw new AppError(
    "CONTENT_INVALID",
    "Cannot read MCP servers of standard input: it is too long",
  );
}

/** Reads with keys for the secrets that servers ask for. What is kept already is looked up only where one asks. */
async function withKeys(
  { env, host }: Job,
  read: (secretKey: (id: string) => string) => foreign.ForeignServer[],
): Promise<foreign.ForeignServer[]> {
  const servers = read((id) => id);
  if (servers.every(({ asked }) => asked.length === 0)) return servers;
  const names = await takenKeys(env, { host, dirs: hostDirs(host) });
  const keys = new Map<string, string>();
  return read((id) => {
    const key = keys.get(id) ?? names.make(id);
    keys.set(id, key);
    return key;
  });
}

async function imported(from: string, job: Job): Promise<Addition[]> {
  const { input, env, host } = job;
  if (input.args.length > 0) {
    throw new AppError(
      "USAGE",
      `Cannot import ${quote(input.args[0]!)}: --from takes no name`,
      { hint: `Choose with: --select ${input.args[0]}` },
    );
  }
  const servers = await withKeys(
    job,
    (secretKey) =>
      importServers(from, { env, host, dirs: hostDirs(host), secretKey }),
  );
  const select = listOption(input, "select");
  const isAsked = select.length === 0 && host.isTerminal("stdin") &&
    host.isTerminal("stderr") && input.options["json"] !== true;
  const chosen = isAsked
    ? selectServers(servers, await pick(servers))
    : selectServers(servers, select);
  requireImportable(chosen);
  return chosen.map(additionOf);
}

async function pick(
  servers: readonly foreign.ForeignServer[],
): Promise<readonly string[]> {
  const { pickServers } = await import("../mcp_picker.ts");
  return await pickServers(servers);
}

function explainScope(input: Input, env: OpenEnv, host: Host): void {
  const scope = textOption(input, "scope");
  if (scope === undefined) return;
  host.notice(
    `aenv: --scope ${scope} is not needed: the server belongs to the environment ${
      quote(env.label)
    }, wherever that is used`,
  );
}

/** The agent keeps such clients in its own state, which an env does not declare. */
function refuseOauth(input: Input): void {
  const option = ["clientId", "callbackPort", "clientSecret"].find((name) =>
    input.options[name] !== undefined
  );
  if (option === undefined) return;
  throw new AppError(
    "NOT_SUPPORTED",
    "Cannot add the server: aenv.toml cannot hold an OAuth client of its own",
    { hint: "Add it without these options, and log in with /mcp in the agent" },
  );
}
