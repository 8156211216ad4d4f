/** The text of a new manifest. */
import type { EnvName } from "../base/ids.ts";

const SANDBOX = `
# The agent and all it starts can write to the project and to this environment's state, and see nothing else of your home.
[sandbox]
enabled = true               # all that it gives: aenv sandbox explain
# paths = ["~/data:ro", "../shared:rw"]
# cache_dirs = ["~/.cache/pip"]
# network = { mode = "hosts", allow = ["@agent", "@github"] }
# unix_sockets = ["$TMPDIR"] # for programs that connect to sockets of their own, such as tsx
`;

/** What a new manifest says. */
export interface TemplateOptions {
  /** Without commented examples. */
  readonly bare?: boolean;
  /** With the sandbox on. */
  readonly sandbox?: boolean;
}

/** A manifest for `name`: with commented examples, or `bare` without; with the sandbox where that is asked for. */
export function newManifest(
  name: EnvName,
  options: TemplateOptions = {},
): string {
  const head = `aenv_schema_version = "2"

[env]
name = "${name}"
`;
  const sandbox = options.sandbox ? "\n[sandbox]\nenabled = true\n" : "";
  if (options.bare) return head + sandbox;
  return head + `description = ""
isolation = "private"        # or "overlay": share ~/.claude, bring everything in by flags
project_config = "load"      # or "ignore": no CLAUDE.md, .mcp.json, .claude/ of the repository

[vars]
# NODE_ENV = "development"
${options.sandbox ? SANDBOX : ""}
# [mcp.docs]
# command = "npx"
# args = ["-y", "some-mcp-server"]

# [[plugins.enabled]]
# name = "review"
# source = "./plugins/review"

# [[skills.enabled]]
# name = "strict"
# source = "./skills/strict"
`;
}
