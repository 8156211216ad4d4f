/** Which servers to import, asked on the terminal. */
import type { foreign } from "../agents/mod.ts";
import { AppError, ExitCode } from "../base/errors.ts";
import { redact } from "../base/redact.ts";
import { escapeControl } from "../base/text.ts";
import { findCredentials } from "../manifest/mod.ts";
import { pickMany } from "../os/picker.ts";
import { SecretValue } from "../secrets/mod.ts";
import { describeServer } from "./mcp_outcome.ts";

/** Asks; those that cannot be taken over are not chosen at first. Throws `INTERRUPTED` when the user leaves or chooses none. */
export async function pickServers(
  servers: readonly foreign.ForeignServer[],
): Promise<readonly string[]> {
  const rows = servers.map(({ found, from, table, problems }) => {
    for (const { value } of findCredentials(table)) new SecretValue(value);
    const isGood = problems.length === 0;
    const what = isGood ? describeServer(table) : problems.join("; ");
    return {
      value: found,
      label: escapeControl(found),
      hint: redact(escapeControl(`${what}  (${from})`)),
      isChosen: isGood,
    };
  });
  const chosen = await pickMany("Which MCP servers?", rows);
  if (chosen !== undefined && chosen.length > 0) return chosen;
  throw new AppError(
    "INTERRUPTED",
    "Cannot import MCP servers: none was chosen",
    { exitCode: ExitCode.interrupted },
  );
}
