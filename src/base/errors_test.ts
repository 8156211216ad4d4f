import { ok, strictEqual } from "node:assert/strict";
import {
  AppError,
  asRefusal,
  ERROR_CODES,
  ExitCode,
  withNamer,
} from "./errors.ts";

Deno.test("AppError exits with 1, with 2 for a wrong command line, else with what it is given", () => {
  strictEqual(new AppError("IO", "Cannot x").exitCode, ExitCode.failed);
  strictEqual(new AppError("USAGE", "Cannot x").exitCode, ExitCode.usage);
  const refused = new AppError("IO", "Cannot x", { exitCode: 3 });
  strictEqual(refused.exitCode, ExitCode.refused);
});

Deno.test("AppError keeps hint and cause, and has no cause property without one", () => {
  const cause = new Error("inner");
  const error = new AppError("IO", "Cannot x", { hint: "try y", cause });
  strictEqual(error.hint, "try y");
  strictEqual(error.cause, cause);
  strictEqual("cause" in new AppError("IO", "Cannot x"), false);
});

Deno.test("asRefusal() changes nothing but the exit code", () => {
  const error = new AppError("PIN_INVALID", "Cannot read pin", {
    hint: "mend it",
    cause: 1,
  });
  const refused = asRefusal(error) as AppError;
  ok(refused instanceof AppError);
  strictEqual(refused.exitCode, ExitCode.refused);
  strictEqual(refused.code, error.code);
  strictEqual(refused.message, error.message);
  strictEqual(refused.hint, error.hint);
  strictEqual(refused.cause, error.cause);
  strictEqual(refused.stack, error.stack);
});

Deno.test("asRefusal() hands bugs and refusals back as they are", () => {
  const bug = new TypeError("x");
  strictEqual(asRefusal(bug), bug);
  const refused = new AppError("IO", "Cannot x", { exitCode: 3 });
  strictEqual(asRefusal(refused), refused);
});

Deno.test("withNamer() adds who named the thing and keeps the rest", () => {
  const error = new AppError("IO", "Cannot x", { hint: "y", exitCode: 3 });
  const named = withNamer(error, "$AENV");
  strictEqual(named.message, "Cannot x (named by $AENV)");
  strictEqual(named.code, "IO");
  strictEqual(named.hint, "y");
  strictEqual(named.exitCode, 3);
});

Deno.test("ERROR_CODES explains every code in words without a period", () => {
  for (const [code, meaning] of Object.entries(ERROR_CODES)) {
    ok(/^[A-Z][A-Z_]*$/.test(code), code);
    ok(meaning.length > 5 && !meaning.endsWith("."), code);
  }
});
