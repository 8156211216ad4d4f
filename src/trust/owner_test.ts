import { doesNotThrow, throws } from "node:assert/strict";
import { TempDir } from "../../tests/support/temp.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { type Host, hostWith } from "../os/host.ts";
import { checkOwner } from "./owner.ts";

const NOBODY = 65534;

/** Calls `body` with the directory of a repository `repo` that holds `a/b/aenv.toml`, in a directory that everybody can write. */
function inRepository(
  body: (repo: AbsPath, check: (parts?: Partial<Host>) => void) => void,
): void {
  using temp = new TempDir();
  const outside = join(temp.path as AbsPath, "outside");
  const repo = join(outside, "repo");
  const manifest = join(repo, "a", "b", "aenv.toml");
  Deno.mkdirSync(join(repo, "a", "b"), { recursive: true });
  Deno.mkdirSync(join(repo, ".git"));
  Deno.writeTextFileSync(manifest, "");
  Deno.chmodSync(outside, 0o777);
  const uid = Deno.uid() ?? undefined;
  body(repo, (parts = {}) => {
    checkOwner(manifest, manifest, hostWith({ env: {}, uid, ...parts }));
  });
}

Deno.test("checkOwner() takes what only this user can write, wherever the repository lies", () => {
  inRepository((_, check) => doesNotThrow(() => check()));
});

Deno.test("checkOwner() refuses a file or a directory up to the repository's root that everybody can write", () => {
  for (const path of ["a/b/aenv.toml", "a/b", "a", "."]) {
    inRepository((repo, check) => {
      Deno.chmodSync(join(repo, path), 0o777);
      throws(() => check(), {
        code: "MANIFEST_UNTRUSTED",
        message: /everybody can write/,
        hint: /chmod o-w/,
      }, path);
    });
  }
});

Deno.test("checkOwner() takes a sticky directory, in which others cannot replace the file", () => {
  inRepository((repo, check) => {
    Deno.chmodSync(join(repo, "a"), 0o1777);
    doesNotThrow(() => check());
  });
});

Deno.test("checkOwner() refuses a file or a directory of another user", () => {
  for (const path of ["a/b/aenv.toml", "a/b", "."]) {
    inRepository((repo, check) => {
      // Only root can give files away; for others the user is another one.
      if (Deno.uid() === 0) {
        Deno.chownSync(join(repo, path), NOBODY, NOBODY);
        throws(() => check(), {
          code: "MANIFEST_UNTRUSTED",
          message: /belongs to another user/,
          hint: /chown/,
        }, path);
      } else {
        throws(() => check({ uid: NOBODY }), { code: "MANIFEST_UNTRUSTED" });
      }
    });
  }
});

Deno.test("checkOwner() looks at the place that a link leads to as well", () => {
  inRepository((repo) => {
    const [link, real] = [join(repo, "aenv.toml"), join(repo, "far", "x.toml")];
    Deno.mkdirSync(join(repo, "far"));
    Deno.writeTextFileSync(real, "");
    Deno.symlinkSync("far/x.toml", link);
    const host = hostWith({ env: {}, uid: Deno.uid() ?? undefined });
    doesNotThrow(() => checkOwner(link, real, host));
    Deno.chmodSync(join(repo, "far"), 0o777);
    throws(() => checkOwner(link, real, host), { message: /far/ });
  });
});
