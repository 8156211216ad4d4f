/** A launch plan in words. */
import { tilde } from "../base/paths.ts";
import type { Protection } from "../sandbox/mod.ts";
import type { LaunchPlan, PlannedService } from "./types.ts";

/** The text of `run --explain`. */
export function explainPlan(plan: LaunchPlan, home: string): string {
  const changes = Object.entries(plan.environmentChanges)
    .map(([name, value]) =>
      value === null ? `  - ${name}` : `  + ${name}=${value}`
    );
  const exposed = Object.entries(plan.exposed).map(([name, key]) =>
    `  + ${name}=(secret ${key})`
  );
  const installs = plan.installs
    .map((step) =>
      `  ${step.kind} ${step.name}: ${tilde(step.source, home)} -> ${
        tilde(step.target, home)
      }`
    );
  const files = plan.files.flatMap((file) => [
    `  ${tilde(file.path, home)}`,
    ...(file.path.endsWith(".json")
      ? file.content.trimEnd().split("\n").map((line) => `    ${line}`)
      : []),
  ]);
  return [
    `env: ${plan.env} (${plan.isolation})`,
    `cwd: ${tilde(plan.cwd, home)}`,
    `program: ${tilde(plan.program, home)}`,
    ...section("arguments", plan.args.map((arg) => `  ${arg}`)),
    ...section("environment", changes),
    ...section("secrets in the environment", exposed),
    ...section(
      "servers beside the agent",
      plan.services.flatMap((service) => serviceLines(service, plan, home)),
    ),
    ...section("sandbox", sandboxLines(plan)),
    ...section("copies", installs),
    ...section("files", files),
    ...section("hook", plan.hook === undefined ? [] : [`  ${plan.hook}`]),
    ...section(
      "trusted project",
      plan.trust === undefined ? [] : [`  ${tilde(plan.trust, home)}`],
    ),
    ...section("notes", plan.notes.map((note) => `  ${note}`)),
  ].join("\n");
}

function serviceLines(
  service: PlannedService,
  { cwd }: Pick<LaunchPlan, "cwd">,
  home: string,
): string[] {
  const { kind, name, secrets } = service;
  const [what, table] = kind === "stdio"
    ? [[service.command, ...service.args].join(" "), service.env]
    : [service.url, service.headers];
  return [
    `  ${name} (${kind}): ${what}`,
    ...Object.entries(table).map(([key, text]) => `    ${key}=${text}`),
    ...(kind === "stdio" && service.cwd !== cwd
      ? [`    in ${tilde(service.cwd, home)}`]
      : []),
    `    secrets: ${secrets.join(", ")}`,
  ];
}

function sandboxLines({ sandbox }: LaunchPlan): string[] {
  if (sandbox === undefined) return [];
  const { summary, supervised, protections } = sandbox;
  return [
    `  ${summary}`,
    ...(supervised === undefined
      ? []
      : [`  this process stays beside the agent: ${supervised}`]),
    ...protectionLines(protections).map((line) => `  ${line}`),
  ];
}

/** One line for each protection: what, by what, how far. */
export function protectionLines(
  protections: readonly Protection[],
): string[] {
  return protections.map(({ id, by, note }) =>
    `${id.padEnd(21)}  ${by.padEnd(12)}  ${note}`
  );
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines];
}
