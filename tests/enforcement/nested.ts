/** Run inside a sandbox: what a second launch could do there that gives itself everything. Words: `become` or `start`, then a program with its arguments. */
import type { AbsPath } from "../../src/base/paths.ts";
import { becomeConfined } from "../../src/sandbox/exec_become.ts";
import { startConfined } from "../../src/sandbox/exec.ts";
import { filterProgram } from "../../src/sandbox/exec_steps.ts";
import {
  readKernelFacts,
  readSupervisorFacts,
} from "../../src/sandbox/exec_facts.ts";
import { planEnforcement } from "../../src/sandbox/exec_plan.ts";
import type { SandboxPolicy } from "../../src/sandbox/types.ts";
import { policyWith } from "../support/sandbox_policies.ts";
import { waitForEnd } from "../../src/os/process_marks.ts";

/** The whole disk and the whole network. */
function everything(network: SandboxPolicy["network"]): SandboxPolicy {
  return policyWith({
    grants: [{
      path: "/" as AbsPath,
      kind: "directory",
      access: "write",
      why: { source: "manifest", text: "an attack" },
    }],
    network,
  });
}

const [how, path, ...args] = Deno.args;
const program = { path: path as AbsPath, args, env: {} };
if (how === "become") {
  const policy = everything({ mode: "open" });
  const options = { supervisor: undefined };
  const enforcement = planEnforcement(policy, readKernelFacts(), options);
  becomeConfined({ enforcement, filter: filterProgram(enforcement) }, program);
}
const hosts = { mode: "hosts", allow: [], ports: [] } as const;
const policy = everything({ ...hosts, proxy: { port: 9 } });
const supervisor = readSupervisorFacts();
const enforcement = planEnforcement(policy, readKernelFacts(), { supervisor });
const child = startConfined(enforcement, program, { mark: 1 });
Deno.exitCode = waitForEnd(child.pid) ?? 0;
