import { deepStrictEqual, strictEqual } from "node:assert/strict";
import * as esbuild from "esbuild";
import { mergeStart, type Output } from "./merge.ts";

/** A role that loads two files at its start, and one later that shares them. */
const OUTPUTS: readonly Output[] = [
  {
    name: "role.js",
    text:
      `import{count as c}from"./a.js";import{b}from"./b.js";export async function run(){c();const l=await import("./later.js");return[b(),l.seen()]}`,
    exports: ["run"],
    imports: ["a.js", "b.js"],
  },
  {
    name: "a.js",
    text: `let n=0;function count(){n+=1}export{count,n}`,
    exports: ["count", "n"],
    imports: [],
  },
  {
    name: "b.js",
    text: `import{n}from"./a.js";var b=()=>n;export{b}`,
    exports: ["b"],
    imports: ["a.js"],
  },
  {
    name: "later.js",
    text:
      `import{count,n}from"./a.js";function seen(){count();return n}export{seen}`,
    exports: ["seen"],
    imports: ["a.js"],
  },
];

// The bundler's own process ends a moment after it was told to.
const OPTIONS = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "mergeStart() puts what a role loads at its start into its file; what comes later shares it",
  OPTIONS,
  async () => {
    const directory = await Deno.makeTempDir();
    try {
      const texts = await mergeStart(OUTPUTS, "role.js");
      deepStrictEqual([...texts.keys()], OUTPUTS.map(({ name }) => name));
      const loads = /\b(?:from|import)\s*"/.test(texts.get("role.js")!);
      strictEqual(loads, false);
      for (const [name, text] of texts) {
        await Deno.writeTextFile(`${directory}/${name}`, text);
      }
      const script =
        `const { run } = await import("./role.js"); console.log(JSON.stringify(await run()))`;
      await Deno.writeTextFile(`${directory}/main.js`, script);
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-config", `${directory}/main.js`],
      }).output();
      // One count in the role, one more in what came later: there is one counter.
      deepStrictEqual(JSON.parse(new TextDecoder().decode(stdout)), [1, 2]);
    } finally {
      await esbuild.stop();
      await Deno.remove(directory, { recursive: true });
    }
  },
);

/** The same role, whose later file shares one more with another that is loaded later still. */
const WITH_LATER: readonly Output[] = [
  ...OUTPUTS.filter(({ name }) => name !== "later.js"),
  {
    name: "later.js",
    text:
      `import{count,n}from"./a.js";import{add as d}from"./shared.js";async function go(){const l=await import("./last.js");return l.all()}function seen(){count();d();return[n,go()]}export{seen}`,
    exports: ["seen"],
    imports: ["a.js", "shared.js"],
  },
  {
    name: "shared.js",
    text:
      `import{n as m}from"./a.js";let k=0;function add(){k+=m}export{add,k}`,
    exports: ["add", "k"],
    imports: ["a.js"],
  },
  {
    name: "last.js",
    text:
      `import"./b.js";import{n}from"./a.js";import{k}from"./shared.js";function all(){return[n,k]}export{all}`,
    exports: ["all"],
    imports: ["a.js", "b.js", "shared.js"],
  },
];

Deno.test(
  "mergeStart() puts what is loaded together later into one file; nothing is there twice",
  OPTIONS,
  async () => {
    const directory = await Deno.makeTempDir();
    try {
      const texts = await mergeStart(WITH_LATER, "role.js", [
        "later.js",
        "none.js",
        "last.js",
      ]);
      const loads = (name: string) =>
        [...texts.get(name)!.matchAll(/\b(?:from|import)\s*"([^"]*)"/g)]
          .map(([, from]) => from);
      deepStrictEqual(loads("later.js"), ["./role.js"]);
      deepStrictEqual(loads("last.js").toSorted(), [
        "./later.js",
        "./role.js",
      ]);
      for (const [name, text] of texts) {
        await Deno.writeTextFile(`${directory}/${name}`, text);
      }
      const script =
        `const { run } = await import("./role.js"); const [, [n, all]] = await run(); console.log(JSON.stringify([n, await all]))`;
      await Deno.writeTextFile(`${directory}/main.js`, script);
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-config", `${directory}/main.js`],
      }).output();
      deepStrictEqual(JSON.parse(new TextDecoder().decode(stdout)), [2, [
        2,
        2,
      ]]);
    } finally {
      await esbuild.stop();
      await Deno.remove(directory, { recursive: true });
    }
  },
);

Deno.test("mergeStart() leaves a role alone that loads nothing", async () => {
  const [, alone] = OUTPUTS;
  deepStrictEqual(
    await mergeStart([alone!], "a.js"),
    new Map([["a.js", alone!.text]]),
  );
});
