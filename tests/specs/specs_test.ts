/**
 * Every `<area>/<case>/spec.jsonc` below this directory, run against the compiled binary (`AENV_BIN`, else `dist/aenv`).
 * `UPDATE=1` rewrites expectations; `SPEC=text` runs only the cases whose name holds the text, `SPEC_AREA=name` one area.
 */

import { fail } from "node:assert/strict";
import { aenvBinary } from "../support/aenv.ts";
import { run } from "../support/process.ts";
import { runCase } from "./run_case.ts";
import { parseSpec, type Spec } from "./spec.ts";
import { updateSpec } from "./update.ts";

const ROOT = decodeURIComponent(new URL(".", import.meta.url).pathname);
const WORKERS = Math.max(2, navigator.hardwareConcurrency);

interface Case {
  readonly name: string;
  readonly directory: string;
  readonly spec: Spec;
}

function directoriesIn(path: string): string[] {
  return [...Deno.readDirSync(path)]
    .filter((entry) => entry.isDirectory)
    .map((entry) => entry.name)
    .sort();
}

function readSpec(directory: string): Spec {
  const file = `${directory}/spec.jsonc`;
  return parseSpec(Deno.readTextFileSync(file), file);
}

function readCases(area: string): Case[] {
  return directoriesIn(`${ROOT}${area}`).flatMap((name) => {
    const directory = `${ROOT}${area}/${name}`;
    const spec = readSpec(directory);
    const isMeant = spec.os?.includes(Deno.build.os) ?? true;
    const isWanted = `${area}/${name}`.includes(Deno.env.get("SPEC") ?? "");
    return isMeant && isWanted ? [{ name, directory, spec }] : [];
  });
}

async function versionUnderTest(): Promise<string> {
  const options = { env: {}, cwd: "/" };
  return (await run(aenvBinary(), ["--version"], options)).stdout.trim();
}

async function check(one: Case, version: string): Promise<void> {
  // Each case runs under one of two umasks that would both show a forgotten mode.
  const sum = [...one.name].reduce((n, c) => n + c.charCodeAt(0), 0);
  const umask = sum % 2 === 0 ? "000" : "077";
  const options = { directory: one.directory, version, umask };
  let found = await runCase(one.spec, options);
  if (Deno.env.get("UPDATE") && found.corrections.length > 0) {
    updateSpec(one.directory, one.spec, found.corrections);
    found = await runCase(readSpec(one.directory), options);
  }
  if (found.problems.length > 0) fail("\n" + found.problems.join("\n"));
}

const areas = directoriesIn(ROOT)
  .filter((name) => name === (Deno.env.get("SPEC_AREA") ?? name));
for (const area of areas) {
  const cases = readCases(area);
  if (cases.length === 0) continue;
  // Steps run side by side, so no single one can be checked for leaks.
  const loose = {
    sanitizeOps: false,
    sanitizeResources: false,
    sanitizeExit: false,
  };
  Deno.test({
    name: area,
    ...loose,
    fn: async (t) => {
      const version = await versionUnderTest();
      const queue = [...cases];
      const work = async () => {
        for (let one = queue.shift(); one; one = queue.shift()) {
          const current = one;
          await t.step({
            name: one.name,
            ...loose,
            fn: () => check(current, version),
          });
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, work));
    },
  });
}
