/**
 * The program: which role it plays is decided by the name it was called by, before anything else is loaded. Each role makes
 * its own host: the roles named `main_…` are built as files of their own, which share no code with the rest.
 */
import { calledAs } from "./os/argv0.ts";
import { exit, programArguments } from "./os/program.ts";

/** Without a word that would have to be parsed. */
function isPlainInstall([verb, option, ...rest]: readonly string[]): boolean {
  return verb === "install" && rest.length === 0 &&
    (option === undefined || option === "--frozen");
}

const args = programArguments();
const role = calledAs();
if (role === "claude") {
  const { runClaude } = await import("./main_launch.ts");
  exit(await runClaude());
} else if (role === "codex") {
  const { runCodex } = await import("./main_launch.ts");
  exit(await runCodex());
} else if (args.length > 2 && args[0] === "exec" && args[1] === "--") {
  const { runExec } = await import("./main_launch.ts");
  exit(await runExec(args.slice(2)));
} else if (args.length === 1 && args[0] === "current") {
  const { runCurrent } = await import("./main_current.ts");
  exit(await runCurrent());
} else if (args.length === 1 && args[0] === "list") {
  const { runList } = await import("./main_list.ts");
  exit(await runList());
} else if (args.length === 2 && args[0] === "__relay") {
  const { runRelay } = await import("./main_relay.ts");
  exit(await runRelay(args[1]!));
} else if (args.length === 2 && args[0] === "__ended") {
  const { runSessionEnd } = await import("./main_ended.ts");
  exit(await runSessionEnd(args[1]!));
} else {
  if (isPlainInstall(args)) {
    const { runSettledInstall } = await import("./main_install.ts");
    const code = await runSettledInstall();
    if (code !== undefined) exit(code);
  }
  const { runCli } = await import("./cli/mod.ts");
  exit(await runCli(args));
}
