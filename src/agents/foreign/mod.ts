/** MCP servers of other programs: where they keep them, and what their declarations mean in a manifest. */
export { type LinkKind, linkKind, readLink } from "./deeplink.ts";
export { parseJson } from "./jsonc.ts";
export { type Place, placesOf, type Program, PROGRAMS } from "./places.ts";
export { foreignServers } from "./shapes.ts";
export type {
  AskedSecret,
  ForeignContext,
  ForeignServer,
  ForeignText,
} from "./types.ts";
