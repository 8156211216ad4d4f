/**
 * A supervisor to be killed: starts a confined tree that clings to life, prints its mark when all of it is there, and waits.
 * Argument: the request of a runner.
 */
import { Children } from "../../src/os/children.ts";
import { Guardian } from "../../src/os/guardian.ts";
import { startConfined } from "../../src/sandbox/exec.ts";
import {
  readKernelFacts,
  readSupervisorFacts,
} from "../../src/sandbox/exec_facts.ts";
import { planEnforcement } from "../../src/sandbox/exec_plan.ts";
import { mediate } from "../../src/sandbox/mediate.ts";
import type { Request } from "./runner.ts";

const { policy, program, args, env, cwd }: Request = JSON.parse(Deno.args[0]!);
const enforcement = planEnforcement(policy, readKernelFacts(), {
  supervisor: readSupervisorFacts(),
});
const mark = 0x5f000000 + Math.floor(Math.random() * 0xffffff);
const children = new Children();
const guardian = new Guardian(children, []);
guardian.addMark(mark);
children.adoptMarked(mark);
Deno.chdir(cwd);
const child = startConfined(enforcement, { path: program, args, env }, {
  mark,
});
children.watch(child.pid);
if (child.listener !== undefined) {
  const report = () => {};
  void mediate(child.listener, enforcement.mediation!, { mark, report });
}
Deno.stdout.writeSync(new TextEncoder().encode(`${mark}\n`));
setInterval(() => {}, 1_000_000);
