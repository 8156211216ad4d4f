/** MCP servers as other programs declare them. */
import type { ServerTable } from "../../base/server_table.ts";

/** A text with declarations, and where it is from. */
export interface ForeignText {
  readonly text: string;
  /** Names it for people: a path, or what kind of link it is. */
  readonly from: string;
  /** Whether the program that writes it allows comments. */
  readonly comments: boolean;
  /** Where its servers stand: keys of objects, one after the other. Absent: wherever they are found. */
  readonly at?: readonly (readonly string[])[];
  /** The name of the server, where the text is one server without a name. */
  readonly name?: string;
}

/** A secret that a declaration asks its user for. */
export interface AskedSecret {
  readonly key: string;
  /** What the declaration says about it; empty for nothing. */
  readonly description: string;
}

/** A server of another program, in the words of our manifest. */
export interface ForeignServer {
  /** As the other program calls it. */
  readonly found: string;
  /** As it is called here; the same unless that is no valid name. */
  readonly name: string;
  readonly from: string;
  /** Whole unless there are problems. */
  readonly table: ServerTable;
  /** What is different here, one thing each. */
  readonly notes: readonly string[];
  /** Why it cannot be taken over. */
  readonly problems: readonly string[];
  readonly asked: readonly AskedSecret[];
}

/** What a conversion has to know of the env. */
export interface ForeignContext {
  /** Key for a secret that a declaration asks for under `id`; never one that exists, or a declaration could read it. */
  secretKey(id: string): string;
  /** Whether the manifest lies in the directory that editors call the workspace. */
  readonly hasWorkspace: boolean;
  /** Whether the user wrote the declaration here and now: then it may name secrets. */
  readonly isOwn?: boolean;
}
