import assert from "node:assert/strict";
import type { AbsPath } from "../base/paths.ts";
import { AppError } from "../base/errors.ts";
import { policyWith } from "../../tests/support/sandbox_policies.ts";
import { planEnforcement, supervisorReason } from "./exec_plan.ts";
import type { KernelFacts, SupervisorFacts } from "./exec_types.ts";
import type { NetworkPolicy, PathGrant, SandboxPolicy } from "./types.ts";

const KERNEL: KernelFacts = {
  release: "6.18.0",
  architecture: "x86_64",
  landlockAbi: 7,
  uid: 1000,
};
const SUPERVISOR: SupervisorFacts = {
  noMediation: undefined,
  noNamespaces: undefined,
};
const WHY = { source: "project", text: "a test" } as const;
const HOSTS: NetworkPolicy = {
  mode: "hosts",
  allow: [],
  ports: [{ port: 5432, why: WHY }],
  proxy: { port: 8080 },
};

function grant(path: string, access: PathGrant["access"]): PathGrant {
  return { path: path as AbsPath, kind: "directory", access, why: WHY };
}

const POLICY = policyWith({
  grants: [grant("/project", "write"), grant("/usr", "exec")],
  network: { mode: "open" },
  protected: [
    {
      path: "/project/.git/hooks" as AbsPath,
      state: "directory",
      tree: true,
      why: WHY,
    },
    {
      path: "/project/.mcp.json" as AbsPath,
      state: "missing",
      tree: false,
      why: WHY,
    },
  ],
});

function plan(
  parts: Partial<SandboxPolicy>,
  kernel: Partial<KernelFacts> = {},
  supervisor: SupervisorFacts | undefined = undefined,
) {
  return planEnforcement({ ...POLICY, ...parts }, { ...KERNEL, ...kernel }, {
    supervisor,
  });
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, "SANDBOX_UNENFORCED");
    assert.equal(error.exitCode, 3);
    return error.message.replace("Cannot enforce the sandbox: ", "");
  }
  return "none";
}

function enforcedBy(planned: ReturnType<typeof plan>): Record<string, string> {
  return Object.fromEntries(planned.protections.map(({ id, by }) => [id, by]));
}

Deno.test("planEnforcement() without a supervisor mediates and mounts nothing", () => {
  const planned = plan({});
  assert.equal(planned.mediation, undefined);
  assert.equal(planned.mounts, undefined);
  assert.deepEqual(planned.seccomp, {
    architecture: "x86_64",
    internet: "open",
    unix: "none",
    truncation: false,
    devices: false,
    ownSharedMemory: false,
    signals: "kernel",
    marked: true,
  });
  assert.deepEqual(enforcedBy(planned), {
    files: "landlock",
    truncation: "landlock",
    renames: "landlock",
    devices: "landlock",
    metadata: "nothing",
    internet: "nothing",
    "unix-sockets": "seccomp",
    "abstract-sockets": "landlock",
    signals: "landlock",
    processes: "landlock",
    "terminal-input": "seccomp",
    namespaces: "seccomp",
    "kernel-interfaces": "seccomp",
    "shared-memory": "seccomp",
    privileges: "capabilities",
    descriptors: "seccomp",
    orphans: "nothing",
    "protected-directories": "comparison",
    "protected-files": "comparison",
  });
});

Deno.test("planEnforcement() with a supervisor mediates Unix sockets and mounts directories", () => {
  const planned = plan({}, {}, SUPERVISOR);
  assert.deepEqual(planned.mediation, {
    internet: "open",
    unixPaths: [],
    unixTrees: ["/project"],
    signals: false,
  });
  assert.deepEqual(planned.mounts, {
    writable: ["/project"],
    pinned: ["/project/.git"],
    readOnly: ["/project/.git/hooks"],
  });
  const by = enforcedBy(planned);
  assert.equal(by["unix-sockets"], "mediator");
  assert.equal(by["protected-directories"], "namespace");
  assert.equal(by["protected-files"], "comparison");
  assert.equal(by["metadata"], "namespace");
  assert.equal(by["shared-memory"], "namespace");
  assert.equal(by["orphans"], "seccomp");
});

Deno.test("planEnforcement() reaches the proxy and granted ports by address", () => {
  const planned = plan({ network: HOSTS }, {}, SUPERVISOR);
  assert.deepEqual(planned.mediation?.internet, [
    { address: "127.0.0.1", port: 8080 },
    { address: "127.0.0.1", port: 5432 },
    { address: "::1", port: 5432 },
  ]);
  assert.equal(planned.seccomp.internet, "mediated");
  assert.equal(enforcedBy(planned)["internet"], "mediator");
});

Deno.test("planEnforcement() says what stands in below each version", () => {
  const found = [1, 2, 3, 4, 5, 6, 9].map((landlockAbi) => {
    const planned = plan({}, { landlockAbi }, SUPERVISOR);
    const by = enforcedBy(planned);
    const ids = ["truncation", "devices", "signals", "unix-sockets"] as const;
    return [landlockAbi, ...ids.map((id) => by[id])];
  });
  assert.deepEqual(found, [
    [1, "seccomp", "seccomp", "mediator", "mediator"],
    [2, "seccomp", "seccomp", "mediator", "mediator"],
    [3, "landlock", "seccomp", "mediator", "mediator"],
    [4, "landlock", "seccomp", "mediator", "mediator"],
    [5, "landlock", "landlock", "mediator", "mediator"],
    [6, "landlock", "landlock", "landlock", "mediator"],
    [9, "landlock", "landlock", "landlock", "landlock"],
  ]);
});

Deno.test("planEnforcement() refuses what cannot be enforced", () => {
  const hosts = { network: HOSTS };
  const noProxy = { network: { ...HOSTS, proxy: undefined } };
  const noMediation = { ...SUPERVISOR, noMediation: "it is forbidden" };
  assert.deepEqual(
    [
      refusal(() => plan({}, { landlockAbi: 0 })),
      refusal(() => plan(hosts)),
      refusal(() => plan(noProxy, {}, SUPERVISOR)),
      refusal(() => plan(hosts, {}, noMediation)),
      refusal(() => plan({}, { landlockAbi: 5 })),
      refusal(() => plan({}, { landlockAbi: 5 }, noMediation)),
    ],
    [
      "this kernel has no Landlock, or has it switched off",
      "nothing supervises it",
      "the network proxy does not run",
      "it is forbidden",
      "nothing supervises it",
      "it is forbidden",
    ],
  );
});

Deno.test("planEnforcement() does without mediation where nothing needs it", () => {
  const noMediation = { ...SUPERVISOR, noMediation: "it is forbidden" };
  const planned = plan({}, {}, noMediation);
  assert.equal(planned.mediation, undefined);
  assert.equal(planned.seccomp.unix, "none");
  assert.equal(planned.seccomp.marked, true);
});

Deno.test("planEnforcement() compares directories where there are no namespaces, and says why", () => {
  const noNamespaces = "user.max_user_namespaces is 0";
  const planned = plan({}, {}, { ...SUPERVISOR, noNamespaces });
  assert.equal(planned.mounts, undefined);
  const found = planned.protections.find(({ id }) =>
    id === "protected-directories"
  );
  assert.deepEqual(found, {
    id: "protected-directories",
    by: "comparison",
    note: `compared before and after: ${noNamespaces}`,
  });
});

Deno.test("supervisorReason() is there exactly when a launch without one is refused", () => {
  const unixSockets = [{ path: "/run/x.sock" as AbsPath, why: WHY }];
  for (const landlockAbi of [1, 5, 6, 7, 9]) {
    for (
      const network of [{ mode: "open" }, { mode: "none" }, HOSTS] as const
    ) {
      for (const sockets of [[], unixSockets]) {
        const policy = { ...POLICY, network, unixSockets: sockets };
        const kernel = { ...KERNEL, landlockAbi };
        const refused = refusal(() =>
          planEnforcement(policy, kernel, { supervisor: undefined })
        );
        const reason = supervisorReason(policy, kernel);
        assert.equal(reason !== undefined, refused !== "none");
      }
    }
  }
});

Deno.test("planEnforcement() has a granted directory of sockets asked about like writable ones, or left to a kernel that can tell", () => {
  const unixSockets = [
    { path: "/run/x.sock" as AbsPath, why: WHY },
    { path: "/db" as AbsPath, why: WHY, tree: true },
  ];
  const { mediation } = plan({ unixSockets }, {}, SUPERVISOR);
  assert.deepEqual(mediation?.unixPaths, ["/run/x.sock"]);
  assert.ok(mediation?.unixTrees.includes("/db" as AbsPath));
  const { landlock } = plan({ unixSockets }, { landlockAbi: 9 }, SUPERVISOR);
  const rules = landlock.paths.map(({ path, kind }) => `${kind} ${path}`);
  assert.ok(rules.includes("socket /run/x.sock"));
  assert.ok(rules.includes("directory /db"));
});

Deno.test("planEnforcement() gives a value that can be sent", () => {
  const planned = plan({ network: HOSTS }, {}, SUPERVISOR);
  assert.deepEqual(JSON.parse(JSON.stringify(planned)), planned);
});
