/** From a source to an exact pin. Each kind's code is loaded when it is needed. */
import { resolvePath } from "./local_path.ts";
import type { Resolution, SourceContext, SourceSpec } from "./source.ts";

/**
 * What the source means now: version, commit or hash. Downloads no more than it has to.
 * Throws `SOURCE_*`, `CONTENT_INVALID`, `NOT_SUPPORTED`, `IO`, and the signal's reason.
 */
export async function resolveSource(
  spec: SourceSpec,
  context: SourceContext,
): Promise<Resolution> {
  switch (spec.kind) {
    case "path":
      return resolvePath(spec, context);
    case "npm": {
      const { resolveNpm } = await import("./npm/npm.ts");
      return await resolveNpm(spec, context);
    }
    case "git": {
      const { resolveGit } = await import("./git/git.ts");
      return await resolveGit(spec, context);
    }
    case "archive": {
      const { resolveArchive } = await import("./archive/archive.ts");
      return await resolveArchive(spec, context);
    }
    case "marketplace": {
      const { resolveMarketplace } = await import(
        "./marketplace/marketplace.ts"
      );
      return await resolveMarketplace(spec, context);
    }
  }
}
