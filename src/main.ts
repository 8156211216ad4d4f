/** The program: which role it plays is decided by the name it was called by, before anything is loaded. */
import { calledAs } from "./os/argv0.ts";
import { realHost } from "./os/host.ts";
import { exit } from "./os/terminal.ts";

const host = realHost();
if (calledAs() === "claude") {
  try {
    const { launchClaude } = await import("./launch/shim.ts");
    await launchClaude(host.args, host);
  } catch (error) {
    const { reportError } = await import("./cli/report_error.ts");
    exit(reportError(error));
  }
} else {
  const { runCli } = await import("./cli/mod.ts");
  exit(await runCli(host.args, host));
}
