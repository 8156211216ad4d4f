/** Copying a configuration for a new env. */
export { cloneConfig } from "./clone.ts";
export type { LeftOut } from "./settings.ts";
export { type Move, Rewriter } from "./rewrite.ts";
