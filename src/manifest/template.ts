/** The text of a new manifest. */
import type { EnvName } from "../base/ids.ts";

/** A manifest for `name`: with commented examples, or `bare` with the required keys only. */
export function newManifest(
  name: EnvName,
  options: { bare?: boolean } = {},
): string {
  const head = `aenv_schema_version = "2"

[env]
name = "${name}"
`;
  if (options.bare) return head;
  return head + `description = ""
isolation = "private"        # or "overlay": share ~/.claude, bring everything in by flags
project_config = "load"      # or "ignore": no CLAUDE.md, .mcp.json, .claude/ of the repository

[vars]
# NODE_ENV = "development"

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
