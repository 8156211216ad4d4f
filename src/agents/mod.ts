/** The agents: what is particular to each. */
export { findAgent, type FindOptions } from "./find.ts";
