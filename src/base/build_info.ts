/** What the build script wrote into this program. */

declare const __AENV_VERSION__: string | undefined;
declare const __AENV_COMMIT__: string | undefined;
declare const __AENV_TARGET__: string | undefined;

/** Version, commit and target triple of this build; `dev` and `unknown` when run from source. */
export const BUILD_INFO: {
  readonly version: string;
  readonly commit: string;
  readonly target: string;
} = {
  version: typeof __AENV_VERSION__ === "string" ? __AENV_VERSION__ : "dev",
  commit: typeof __AENV_COMMIT__ === "string" ? __AENV_COMMIT__ : "unknown",
  target: typeof __AENV_TARGET__ === "string" ? __AENV_TARGET__ : "unknown",
};
