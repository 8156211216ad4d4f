/** The program: which role it plays is decided by the name it was called by, before anything is loaded. */
import { calledAs } from "./os/argv0.ts";
import { realHost } from "./os/host.ts";
import { exit } from "./os/terminal.ts";

const host = realHost();
const role = calledAs();
if (role === "claude") {
  const { launchAsShim } = await import("./launch/mod.ts");
  exit(await launchAsShim("claude", host));
} else {
  const { runCli } = await import("./cli/mod.ts");
  exit(await runCli(host.args, host));
}
