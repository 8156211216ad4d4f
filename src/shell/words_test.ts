import assert from "node:assert/strict";
import { valueOptions, wordTree } from "./words.ts";

Deno.test("wordTree() takes options apart as commander writes them", () => {
  const { verbs } = wordTree([{
    name: "new",
    summary: "Make one",
    options: ["-E, --env <env>", "--from <env>", "-o <file>", "--no-sandbox"],
    takes: "env",
  }]);
  assert.deepEqual(verbs, [{
    path: "new",
    summary: "Make one",
    options: ["-E", "--env", "--from", "-o", "--no-sandbox"],
    envOptions: ["-E", "--env", "--from"],
    valueOptions: ["-E", "--env", "--from", "-o"],
    takes: "env",
  }]);
});

Deno.test("wordTree() lists a group once, and its commands below it", () => {
  const tree = wordTree([
    { name: "use", summary: "Use" },
    { name: "store gc", summary: "Collect" },
    { name: "store verify", summary: "Check" },
  ]);
  assert.deepEqual([...tree.groups], [
    ["", [{ word: "use", summary: "Use" }, { word: "store", summary: "" }]],
    ["store", [
      { word: "gc", summary: "Collect" },
      { word: "verify", summary: "Check" },
    ]],
  ]);
});

Deno.test("valueOptions() names each option once", () => {
  const options = ["-E, --env <env>"];
  const tree = wordTree([
    { name: "run", summary: "", options },
    { name: "exec", summary: "", options: [...options, "--json"] },
  ]);
  assert.deepEqual(valueOptions(tree), ["-E", "--env"]);
});
