/** `[secrets] expose = "env"`: secrets as variables that the agent and all that it starts can read. */
import { AppError, ExitCode } from "../base/errors.ts";
import type { Dirs } from "../base/dirs.ts";
import type { SecretKey } from "../base/secret_key.ts";
import { quote } from "../base/text.ts";
import {
  auditEvent,
  type OpenEnv,
  openEnvSecrets,
  secretUses,
} from "../env/mod.ts";
import type { Host } from "../os/host.ts";
import type { LaunchPlan } from "./types.ts";

/** Variable → key of the secret that it will hold. Keys only: a plan is printed. */
export type Exposed = Readonly<Record<string, string>>;

/** The variables of an env that exposes its secrets: what MCP servers ask for and what has a command. Throws `SECRET_INVALID`. */
export async function exposedVariables(env: OpenEnv): Promise<Exposed> {
  const { manifest, label } = env;
  if (manifest.secrets.expose === undefined) return {};
  const { variableNames } = await import("../secrets/mod.ts");
  const keys = [
    ...secretUses(manifest).keys(),
    ...Object.keys(manifest.secrets.commands) as SecretKey[],
  ].sort();
  const names = variableNames(label, keys, Object.keys(manifest.vars));
  return Object.fromEntries([...names].map(([key, name]) => [name, key]));
}

/** `text` with `${secret:KEY}` as the variable that holds it, which agents expand themselves. */
export function withExposed(text: string, exposed: Exposed): string {
  return Object.entries(exposed).reduce(
    (out, [name, key]) => out.replaceAll(`\${secret:${key}}`, `\${${name}}`),
    text,
  );
}

/**
 * The agent's environment with the values of exposed secrets, read from where they are kept. Never part of a plan. Throws what
 * `Secrets.get` throws, `SECRET_INVALID` for a value that no variable can hold.
 */
export async function environmentOf(
  plan: LaunchPlan,
  env: OpenEnv,
  place: { readonly host: Host; readonly dirs: Dirs },
): Promise<Readonly<Record<string, string>>> {
  const entries = Object.entries(plan.exposed) as [string, SecretKey][];
  if (entries.length === 0) return plan.environment;
  // The plan was made after the manifest's trust was checked.
  const secrets = await openEnvSecrets(env, place, { runsCommands: true });
  const values = await secrets.get(entries.map(([, key]) => key));
  const out: Record<string, string> = { ...plan.environment };
  for (const [name, key] of entries) {
    const text = values.get(key)?.text();
    if (text === undefined) throw notText(key);
    out[name] = text;
  }
  const keys = entries.map(([, key]) => key);
  await auditEvent({ event: "secret-used", by: "agent", keys }, {
    ...{ dirs: place.dirs, env: env.label },
  });
  return out;
}

function notText(key: SecretKey): AppError {
  return new AppError(
    "SECRET_INVALID",
    `Cannot give the agent the secret ${
      quote(key)
    }: a variable cannot hold its bytes`,
    {
      hint: "Take out expose, or give the secret a value that is text",
      exitCode: ExitCode.refused,
    },
  );
}
