import { activeEnv } from "../../env/mod.ts";
import { explainPlan, launchClaude, planLaunch } from "../../launch/mod.ts";
import type { Host } from "../../os/host.ts";
import { AppError, asRefusal, ExitCode } from "../../base/errors.ts";
import { askLine } from "../../os/terminal.ts";
import { type Command, type Outcome, textOption } from "../command.ts";

/** `aenv run`. */
export const command: Command = {
  words: {
    arguments: [{
      name: "args",
      summary: "Arguments for the agent",
      optional: true,
      variadic: true,
    }],
    options: [
      {
        flags: "--explain",
        summary: "Print what a launch would do, and do nothing",
      },
      {
        flags: "--no-sandbox",
        summary: "Start it unconfined, this time; asks first",
      },
      {
        flags: "-v, --verbose",
        summary: "Say what the sandbox enforces and by what, and all notes",
      },
    ],
    env: true,
    passThrough: true,
    examples: [
      "aenv run",
      'aenv run -E review -- -p "hello"',
      "aenv run --explain --json",
    ],
  },
  async run(input, host) {
    const option = textOption(input, "env");
    if (!input.options["explain"]) {
      const unconfined = input.options["sandbox"] === false;
      if (unconfined && !confirm(host)) throw declined();
      return await launchClaude(input.args, host, {
        ...(option === undefined ? {} : { env: option }),
        ...{ unconfined, verbose: input.options["verbose"] === true },
      });
    }
    try {
      return await explain(input.args, host, option);
    } catch (error) {
      throw asRefusal(error);
    }
  },
};

function confirm(host: Host): boolean {
  if (!host.isTerminal("stdin") || !host.isTerminal("stderr")) return false;
  const answer = askLine(
    "Start the agent without its sandbox? It can then do what you can. [y/N] ",
  );
  return /^\s*y(es)?\s*$/i.test(answer ?? "");
}

function declined(): AppError {
  return new AppError(
    "SANDBOX_REFUSED",
    "Cannot start the agent without its sandbox: nobody at a terminal said yes",
    {
      hint: "For good, write enabled = false under [sandbox]",
      exitCode: ExitCode.refused,
    },
  );
}

async function explain(
  args: readonly string[],
  host: Host,
  option?: string,
): Promise<Outcome> {
  const { env, dirs } = activeEnv(host, option);
  if (env.kind === "global") {
    throw new AppError(
      "USAGE",
      'Cannot explain "global": nothing is planned there, the agent is started as it is',
      {
        hint: "Name an environment: aenv run --explain -E NAME",
      },
    );
  }
  const { environment: _, ...plan } = await planLaunch(
    { env, args },
    host,
    dirs,
  );
  return {
    data: plan,
    text: () => explainPlan({ ...plan, environment: {} }, host.home()),
  };
}
