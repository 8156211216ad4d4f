/** Probes as a user, with parts of the enforcement taken away. Arguments: the policy, a place, what to take away. */
import { planEnforcement } from "../../src/sandbox/exec_plan.ts";
import {
  readKernelFacts,
  readSupervisorFacts,
} from "../../src/sandbox/exec_facts.ts";
import type { Enforcement } from "../../src/sandbox/exec_types.ts";
import { probe } from "../../src/sandbox/probe.ts";
import { grant } from "./world.ts";

/** What a kernel could silently not do. */
const HOLES: Record<string, (whole: Enforcement) => Enforcement> = {
  none: (whole) => whole,
  files: (whole) => {
    const { path, kind } = grant("/", "write");
    const rule = { path, kind, access: whole.landlock.handledFiles };
    return { ...whole, landlock: { ...whole.landlock, paths: [rule] } };
  },
  scopes: (whole) => ({
    ...whole,
    landlock: { ...whole.landlock, scoped: 0 },
  }),
  network: (whole) => ({
    ...whole,
    landlock: { ...whole.landlock, handledNetwork: 0 },
    mediation: { ...whole.mediation!, internet: "open" },
  }),
  sockets: (whole) => ({
    ...whole,
    mediation: { ...whole.mediation!, unixTrees: [grant("/", "write").path] },
  }),
};

const [policy, place, supervised, landlockAbi, hole] = JSON.parse(
  Deno.args[0]!,
);
const kernel = readKernelFacts();
const whole = planEnforcement(policy, {
  ...kernel,
  landlockAbi: Math.min(kernel.landlockAbi, landlockAbi),
}, { supervisor: supervised ? readSupervisorFacts() : undefined });
const start = performance.now();
const weak = HOLES[hole]!(whole);
const probed = await probe(weak, place);
const ms = performance.now() - start;
const left = [...Deno.readDirSync(place)].length;
const text = JSON.stringify({ probed, ms, left });
await Deno.stdout.write(new TextEncoder().encode(text));
Deno.exit(0);
