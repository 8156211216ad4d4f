/** An MCP server as `[mcp.<name>]` of a manifest has it, not checked yet. */

/** The keys of `[mcp.<name>]` that are written; absent ones have their defaults. */
export interface ServerTable {
  readonly type?: "stdio" | "http" | "sse";
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly "secret_args"?: "allow";
  readonly disabled?: true;
}
