import { ok, strictEqual, throws } from "node:assert/strict";
import { AppError } from "../base/errors.ts";
import { ifExists, ioError, osCode, withIo } from "./io_error.ts";

function thrownBy(operation: () => unknown): unknown {
  try {
    operation();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

Deno.test("osCode() knows the codes of real failures", () => {
  strictEqual(osCode(thrownBy(() => Deno.statSync("/no/such"))), "ENOENT");
  strictEqual(
    osCode(thrownBy(() => Deno.statSync("/dev/null/x"))),
    "ENOTDIR",
  );
  strictEqual(osCode(thrownBy(() => Deno.mkdirSync("/"))), "EEXIST");
  strictEqual(osCode(thrownBy(() => Deno.readFileSync("/"))), "EISDIR");
  const long = "/tmp/" + "x".repeat(300);
  strictEqual(osCode(thrownBy(() => Deno.statSync(long))), "ENAMETOOLONG");
});

Deno.test("osCode() has no code for bugs and other values", () => {
  strictEqual(osCode(new TypeError("x")), undefined);
  strictEqual(osCode("ENOENT"), undefined);
  strictEqual(osCode(undefined), undefined);
});

Deno.test("withIo() says action, path and state in words, and keeps the cause", () => {
  const error = thrownBy(() =>
    withIo("read", "/no/such", () => Deno.statSync("/no/such"))
  ) as AppError;
  strictEqual(error.code, "IO");
  strictEqual(error.message, 'Cannot read "/no/such": it does not exist');
  ok(error.cause instanceof Deno.errors.NotFound);
});

Deno.test("ioError() shows the code when it has no words for it", () => {
  const error = Object.assign(new Error("x"), { code: "EWEIRD" });
  strictEqual(
    (ioError("read", "/a", error) as AppError).message,
    'Cannot read "/a": EWEIRD',
  );
});

Deno.test("ioError() says what to do about a full disk and about permissions", () => {
  for (const code of ["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS"]) {
    const error = Object.assign(new Error("x"), { code });
    const { hint, message } = ioError("write", "/a", error) as AppError;
    ok(hint !== undefined, code);
    ok(!message.includes(code), message);
  }
});

Deno.test("ioError() hands bugs and our own errors back as they are", () => {
  const bug = new TypeError("x");
  strictEqual(ioError("read", "/a", bug), bug);
  const own = new AppError("IO", "Cannot x");
  strictEqual(ioError("read", "/a", own), own);
});

Deno.test("ifExists() is undefined for what is missing, and fails for the rest", () => {
  strictEqual(ifExists("read", "/x", () => Deno.statSync("/x")), undefined);
  strictEqual(
    ifExists("read", "/dev/null/x", () => Deno.statSync("/dev/null/x")),
    undefined,
  );
  throws(() => ifExists("read", "/", () => Deno.readFileSync("/")), {
    code: "IO",
  });
  throws(() =>
    ifExists("read", "/", () => {
      throw new TypeError("bug");
    }), TypeError);
});

Deno.test({
  name: "ifExists() takes a process that ends while it is read for gone",
  // Nothing else has /proc.
  ignore: Deno.build.os !== "linux",
  async fn() {
    const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
    using file = Deno.openSync(`/proc/${child.pid}/limits`);
    child.kill("SIGKILL");
    await child.status;
    const buffer = new Uint8Array(1);
    strictEqual(ifExists("read", "/x", () => file.readSync(buffer)), undefined);
  },
});
