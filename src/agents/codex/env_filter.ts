/**
 * Which of the caller's variables reach Codex. Those that begin with CODEX name its directory or belong to an outer session:
 * only the ones listed here pass. Source: the names in the program 0.169.0.
 */

const PASS = new Set([
  "CODEX_ACCESS_TOKEN",
  "CODEX_API_KEY",
  "CODEX_CA_CERTIFICATE",
  "CODEX_NON_INTERACTIVE",
  "CODEX_TUI_DISABLE_KEYBOARD_ENHANCEMENT",
  "CODEX_TUI_ROUNDED",
]);

/** Whether the caller's variable may reach the agent. */
export function passesToCodex(name: string): boolean {
  return !name.startsWith("CODEX_") || PASS.has(name);
}
