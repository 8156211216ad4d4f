import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { findRef, findVersionTag, parseRefs, refNames } from "./refs.ts";

function id(digit: string): string {
  return digit.repeat(40);
}

const LISTING = [
  `${id("1")}\tHEAD`,
  `${id("1")}\trefs/heads/main`,
  `${id("2")}\trefs/heads/v1.0.0`,
  `${id("a")}\trefs/tags/v1.0.0`,
  `${id("3")}\trefs/tags/v1.0.0^{}`,
  `${id("4")}\trefs/tags/1.2.0`,
  `${id("5")}\trefs/tags/v1.10.0`,
  `${id("6")}\trefs/tags/v2.0.0-rc.1`,
  `${id("7")}\trefs/tags/kit-v9.0.0`,
  `${id("8")}\trefs/tags/v3`,
  "warning: something",
].join("\n");

Deno.test("parseRefs() peels annotated tags and passes over everything else", () => {
  const refs = parseRefs(LISTING);
  strictEqual(refs.get("refs/tags/v1.0.0"), id("3"));
  strictEqual(refs.size, 9);
  deepStrictEqual(refNames(refs).slice(0, 2), ["main", "v1.0.0"]);
});

Deno.test("findRef() prefers a branch to a tag, and takes full names", () => {
  const refs = parseRefs(LISTING);
  deepStrictEqual(findRef(refs, "v1.0.0"), {
    commit: id("2"),
    ref: "refs/heads/v1.0.0",
  });
  deepStrictEqual(findRef(refs, "refs/tags/v1.0.0"), {
    commit: id("3"),
    ref: "refs/tags/v1.0.0",
  });
  strictEqual(findRef(refs, "none"), undefined);
  strictEqual(findRef(refs, "HEAD"), undefined);
});

Deno.test("findVersionTag() takes the highest version, with and without v, and no prerelease by accident", () => {
  const refs = parseRefs(LISTING);
  const tag = (range: string) => findVersionTag(refs, range)?.ref;
  strictEqual(tag("^1"), "refs/tags/v1.10.0");
  strictEqual(tag("~1.2"), "refs/tags/1.2.0");
  strictEqual(tag("*"), "refs/tags/v1.10.0");
  strictEqual(tag(">=2.0.0-0"), "refs/tags/v2.0.0-rc.1");
  strictEqual(tag("^9"), undefined);
});
