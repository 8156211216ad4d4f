import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { parseSecretKey } from "../base/secret_key.ts";
import { variableName, variableNames } from "./variable_name.ts";

const keys = (...names: string[]) => names.map(parseSecretKey);

Deno.test("variableName() is AENV_<ENV>_<KEY> in capitals, with _ for what variables may not have", () => {
  const [key] = keys("gh-token");
  strictEqual(variableName("work", key!), "AENV_WORK_GH_TOKEN");
  strictEqual(variableName("a.b-c", key!), "AENV_A_B_C_GH_TOKEN");
});

Deno.test("variableName() is a name that every shell takes", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/);
  fc.assert(fc.property(name, name, (label, key) => {
    ok(/^AENV_[A-Z0-9_]+$/.test(variableName(label, parseSecretKey(key))));
  }));
});

Deno.test("variableNames() refuses two keys for one variable, and variables that are taken", () => {
  deepStrictEqual(
    [...variableNames("w", keys("a", "b", "a"))],
    [["a", "AENV_W_A"], ["b", "AENV_W_B"]],
  );
  const refused = { code: "SECRET_INVALID", exitCode: 3 };
  throws(() => variableNames("w", keys("gh-token", "gh_token")), {
    ...refused,
    message:
      /"gh_token": its variable AENV_W_GH_TOKEN is taken by the secret "gh-token"$/,
  });
  throws(() => variableNames("w", keys("a"), ["AENV_W_A"]), {
    ...refused,
    message: /taken by \[vars\]$/,
  });
  // Ours: AENV_SHELL_FUNCTION.
  throws(() => variableNames("shell", keys("function")), {
    ...refused,
    message: /taken by aenv itself$/,
  });
});
