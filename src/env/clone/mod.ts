/** Copying a configuration for a new env. */
export { cloneConfig, copyTree } from "./clone.ts";
export { planRelocation, type Relocation } from "./relocate.ts";
export type { LeftOut } from "./settings.ts";
export { type Move, Rewriter } from "./rewrite.ts";
