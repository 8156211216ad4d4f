/** Becomes a confined program, watched as a launcher is: a file with the policy, a file to make at the end, a program, its arguments. */
import type { AbsPath } from "../../src/base/paths.ts";
import { openProcess } from "../../src/os/pidfd.ts";
import { markThis } from "../../src/os/single_calls.ts";
import { watchEnd } from "../../src/os/watcher.ts";
import { becomeConfined } from "../../src/sandbox/exec_become.ts";
import { planEnforcement } from "../../src/sandbox/exec_plan.ts";
import { filterProgram } from "../../src/sandbox/exec_steps.ts";
import { readKernelFacts } from "../../src/sandbox/kernel_facts.ts";

const [file, end, path, ...args] = Deno.args;
const policy = JSON.parse(Deno.readTextFileSync(file!));
const env = Deno.env.toObject();
const options = { supervisor: undefined };
const enforcement = planEnforcement(policy, readKernelFacts(), options);
const filter = filterProgram(enforcement);
const held = Deno.openSync(end!, { write: true, createNew: true });
const watcher = watchEnd({
  pidfd: openProcess(Deno.pid),
  program: {
    path: "/bin/sh",
    args: ["-c", `echo ended > "${end}"`],
    env: { SECRET: "the secret", PATH: "/usr/bin:/bin" },
  },
  hands: [],
  keepsErrors: false,
});
if (watcher === undefined || markThis(7) < 0) throw new Error("not watched");
held.close();
env["WATCHER"] = String(watcher.pid);
becomeConfined({ enforcement, filter }, { path: path as AbsPath, args, env });
