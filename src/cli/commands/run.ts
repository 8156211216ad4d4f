import { activeEnv } from "../../env/mod.ts";
import { explainPlan, launchClaude, planLaunch } from "../../launch/mod.ts";
import type { Host } from "../../os/host.ts";
import { AppError, asRefusal } from "../../base/errors.ts";
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
    options: [{
      flags: "--explain",
      summary: "Print what a launch would do, and do nothing",
    }],
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
      return await launchClaude(input.args, host, option);
    }
    try {
      return await explain(input.args, host, option);
    } catch (error) {
      throw asRefusal(error);
    }
  },
};

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
