/** The part of the filter about sockets. */
import type { Filter } from "./bpf.ts";
import type { CallRule, SeccompNeeds } from "./seccomp_needs.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_TYPE_MASK = 0xf;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_SEQPACKET = 5;
const IPPROTO_ICMP = 1;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_ICMPV6 = 58;
const NETLINK_ROUTE = 0;
const MSG_FASTOPEN = 0x20000000;
const SOL_IP = 0;
const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;
const SOL_IPV6 = 41;
const IP_OPTIONS = 4;
/** Routing headers, and the options that carry one: IPV6_2292RTHDR, IPV6_2292PKTOPTIONS, IPV6_RTHDRDSTOPTS, IPV6_RTHDR. */
const IPV6_ROUTES = [5, 6, 55, 57];

/** What is said about sockets. Families that are not named do not exist. */
export function networkCalls(needs: SeccompNeeds): readonly CallRule[] {
  const { internet, unix } = needs;
  const hasNone = internet === "none" && unix === "none";
  const isAsked = internet === "mediated" || unix === "mediated";
  return [
    { calls: ["socket"], then: socketFamilies(needs) },
    { calls: ["socketpair"], then: socketPairs(needs) },
    ...(isAsked ? [{ calls: ["connect"], then: "notify" } as const] : []),
    ...(hasNone ? [{ calls: ["connect"], then: "EACCES" } as const] : []),
    ...(internet === "mediated" ? MEDIATED_INTERNET : []),
  ];
}

function socketFamilies(needs: SeccompNeeds): Filter {
  const { internet } = needs;
  const others = internet === "none" ? "EAFNOSUPPORT" : {
    word: "arg0",
    test: { oneOf: [AF_INET, AF_INET6] },
    yes: internetTypes(internet),
    no: {
      word: "arg0",
      test: { oneOf: [AF_NETLINK] },
      // Which addresses and routes there are; not the rest of what netlink reaches.
      yes: protocols([NETLINK_ROUTE]),
      no: "EAFNOSUPPORT",
    },
  } as const;
  return {
    word: "arg0",
    test: { oneOf: [AF_UNIX] },
    yes: unixTypes(needs.unix),
    no: others,
  };
}

/** Protocols must be looked at: SCTP, MPTCP and SMC connect by other calls, or past what is said about TCP. */
function internetTypes(internet: "mediated" | "open"): Filter {
  const datagrams: Filter = internet === "open"
    ? {
      word: "arg1",
      test: { oneOf: [SOCK_DGRAM], mask: SOCK_TYPE_MASK },
      yes: protocols([0, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6]),
      no: "EPERM",
    }
    : "EAFNOSUPPORT";
  return {
    word: "arg1",
    test: { oneOf: [SOCK_STREAM], mask: SOCK_TYPE_MASK },
    yes: protocols([0, IPPROTO_TCP]),
    no: datagrams,
  };
}

function protocols(numbers: readonly number[]): Filter {
  return {
    word: "arg2",
    test: { oneOf: numbers },
    yes: "allow",
    no: "EPROTONOSUPPORT",
  };
}

/** A socket of datagrams, also one of a pair, can send to any name without a connect: those are never mediated. */
function unixTypes(unix: SeccompNeeds["unix"]): Filter {
  if (unix === "kernel") return "allow";
  if (unix === "none") return "EACCES";
  return {
    word: "arg1",
    test: { oneOf: [SOCK_STREAM, SOCK_SEQPACKET], mask: SOCK_TYPE_MASK },
    yes: "allow",
    no: "EACCES",
  };
}

function socketPairs({ unix }: SeccompNeeds): Filter {
  return {
    word: "arg0",
    test: { oneOf: [AF_UNIX] },
    yes: unixTypes(unix === "kernel" ? "kernel" : "mediated"),
    no: "EAFNOSUPPORT",
  };
}

const MEDIATED_INTERNET: readonly CallRule[] = [
  { calls: ["listen"], then: "notify" },
  // Connects while sending.
  { calls: ["sendto", "sendmmsg"], then: refuseFastOpen("arg3") },
  { calls: ["sendmsg"], then: refuseFastOpen("arg2") },
  // Would send to another machine first than the one that was asked about.
  {
    calls: ["setsockopt"],
    then: {
      word: "arg1",
      test: { oneOf: [SOL_IP] },
      yes: refuseOptions([IP_OPTIONS]),
      no: {
        word: "arg1",
        test: { oneOf: [SOL_IPV6] },
        yes: refuseOptions(IPV6_ROUTES),
        no: {
          word: "arg1",
          test: { oneOf: [SOL_SOCKET] },
          // A port that is shared with a server outside would be taken for an own one.
          yes: refuseOptions([SO_REUSEPORT]),
          no: "allow",
        },
      },
    },
  },
];

function refuseFastOpen(flags: "arg2" | "arg3"): Filter {
  return {
    word: flags,
    test: { anyBitOf: MSG_FASTOPEN },
    yes: "EPERM",
    no: "allow",
  };
}

function refuseOptions(options: readonly number[]): Filter {
  return {
    word: "arg2",
    test: { oneOf: options },
    yes: "EPERM",
    no: "allow",
  };
}
