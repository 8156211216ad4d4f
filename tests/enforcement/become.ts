/** Becomes a confined program, as a launcher does that nothing has to watch over: a file with the policy, a program, its arguments. */
import type { AbsPath } from "../../src/base/paths.ts";
import { becomeConfined } from "../../src/sandbox/exec_become.ts";
import { planEnforcement } from "../../src/sandbox/exec_plan.ts";
import { filterProgram } from "../../src/sandbox/exec_steps.ts";
import { readKernelFacts } from "../../src/sandbox/kernel_facts.ts";

const [file, path, ...args] = Deno.args;
const policy = JSON.parse(Deno.readTextFileSync(file!));
const env = Deno.env.toObject();
const options = { supervisor: undefined };
const enforcement = planEnforcement(policy, readKernelFacts(), options);
const filter = filterProgram(enforcement);
becomeConfined({ enforcement, filter }, { path: path as AbsPath, args, env });
