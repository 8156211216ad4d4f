/** What this process and its kernel are, found out with one call of this program. Linux. */
import { CallList } from "./call_list.ts";
import { CALL } from "./call_numbers.ts";
import { cString } from "./libc.ts";
import { FACT, FACT_WORDS } from "./stat_list.ts";

const HERE = -100;
const BASIC = 0x7ff;
const CREATE_RULESET_VERSION = 1;
const CAPABILITY_VERSION_3 = 0x20080522;
const CAP_SETPCAP = 8;
/** `struct utsname`: six fields, of which the third to the fifth are release, version and machine. */
const NAME_BYTES = 65;
const LINK_BYTES = 256;

/** What a launch can rest on besides files. */
export interface Machine {
  /** Effective. */
  readonly uid: number;
  /** Whether capabilities can be taken from the bounding set; looked at for root only. */
  readonly canDrop: boolean;
  /** Two machines with the same text have the same kernel, user, rights, terminal, and file of the program. */
  readonly text: string;
  /** The terminals on the standard descriptors. */
  readonly terminal: string;
}

/** Looks at it; `self` is this program's own file. Undefined where it cannot be told. */
export function readMachine(self: string): Machine | undefined {
  const list = new CallList(8);
  const names = new Uint8Array(6 * NAME_BYTES);
  const capabilities = new Int32Array([CAPABILITY_VERSION_3, 0, ...NO_SETS]);
  const capabilitiesAt = list.place(new Uint8Array(capabilities.buffer));
  const facts = new Int32Array(FACT_WORDS);
  const links = new Uint8Array(3 * LINK_BYTES);
  const linksAt = list.place(links);
  const path = cString(self);
  const user = list.add(CALL.geteuid, []);
  list.add(CALL.uname, [list.place(names)]);
  const landlock = list.add(CALL.landlock_create_ruleset, [
    ...[0, 0, CREATE_RULESET_VERSION],
  ]);
  list.mayFail(landlock);
  list.add(CALL.capget, [capabilitiesAt, capabilitiesAt + 8]);
  const factsAt = list.place(new Uint8Array(facts.buffer));
  list.add(CALL.statx, [HERE, list.place(path), 0, BASIC, factsAt]);
  const standard = [0, 1, 2].map((fd) => cString(`/proc/self/fd/${fd}`));
  const descriptors = standard.map((name, i) => {
    const into = linksAt + i * LINK_BYTES;
    const at = list.place(name);
    const link = list.add(CALL.readlinkat, [HERE, at, into, LINK_BYTES]);
    list.mayFail(link);
    return link;
  });
  if (list.run() !== -1) return undefined;
  const uid = list.result(user);
  const canDrop = uid === 0 && (capabilities[2]! >> CAP_SETPCAP & 1) === 1;
  const terminals = descriptors.map((link, i) =>
    terminalIn(links, i * LINK_BYTES, list.result(link))
  );
  return {
    uid,
    canDrop,
    text: [
      ...OF_KERNEL.map((n) => text(names, n * NAME_BYTES, NAME_BYTES)),
      ...[
        uid,
        canDrop,
        list.result(landlock),
        ...OF_PROGRAM.map((n) => facts[n]),
      ],
      ...terminals,
    ].join("\n"),
    terminal: terminals.join("\n"),
  };
}

const OF_KERNEL = [2, 3, 4];
const NO_SETS = [0, 0, 0, 0, 0, 0];
const OF_PROGRAM = [
  ...[FACT.deviceMajor, FACT.deviceMinor, FACT.inode, FACT.inode + 1],
  ...[FACT.size, FACT.size + 1, FACT.written, FACT.written + 2],
  ...[FACT.changed, FACT.changed + 2],
];

/** Pipes and files have names that are new each time. */
function terminalIn(
  links: Uint8Array<ArrayBuffer>,
  at: number,
  length: number,
): string {
  const name = length > 0 ? text(links, at, length) : "";
  return name.startsWith("/dev/") && name !== "/dev/null" ? name : "";
}

/** Bytes as characters, ended by a NUL. */
function text(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  length: number,
): string {
  return String.fromCharCode(...bytes.subarray(at, at + length)).split(
    "\0",
    1,
  )[0]!;
}
