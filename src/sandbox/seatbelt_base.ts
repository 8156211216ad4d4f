/** What every profile for macOS begins with: the parts of the system that programs need and that no policy speaks of. */

/** Services by group. None of them acts for its caller: no LaunchServices, no pasteboard, no Apple events, no keychain. */
const MACH_SERVICES: readonly string[] = [
  "com.apple.FSEvents",
  "com.apple.PowerManagement.control",
  "com.apple.SystemConfiguration.DNSConfiguration",
  "com.apple.SystemConfiguration.configd",
  "com.apple.bsd.dirhelper",
  "com.apple.cfprefsd.agent",
  "com.apple.cfprefsd.daemon",
  "com.apple.diagnosticd",
  "com.apple.logd",
  "com.apple.system.DirectoryService.libinfo_v1",
  "com.apple.system.logger",
  "com.apple.system.notification_center",
  "com.apple.system.opendirectoryd.libinfo",
  "com.apple.system.opendirectoryd.membership",
];

/** Services that check certificates and look up names, where the network is used at all. */
const NETWORK_SERVICES: readonly string[] = [
  "com.apple.dnssd.service",
  "com.apple.trustd",
  "com.apple.trustd.agent",
];

/** Services of the keychain, only where the agent keeps its login there. */
const KEYCHAIN_SERVICES: readonly string[] = [
  "com.apple.SecurityServer",
  "com.apple.secd",
  "com.apple.security.agent",
  "com.apple.security.authhost",
  "com.apple.securityd.xpc",
];

const SYSCTLS: readonly string[] = [
  "hw.activecpu",
  "hw.byteorder",
  "hw.cacheconfig",
  "hw.cachelinesize_compat",
  "hw.cpufamily",
  "hw.cputype",
  "hw.cpufrequency",
  "hw.cpufrequency_compat",
  "hw.busfrequency_compat",
  "hw.l1dcachesize_compat",
  "hw.l1icachesize_compat",
  "hw.l2cachesize_compat",
  "hw.l3cachesize_compat",
  "hw.logicalcpu",
  "hw.logicalcpu_max",
  "hw.machine",
  "hw.memsize",
  "hw.model",
  "hw.ncpu",
  "hw.nperflevels",
  "hw.packages",
  "hw.pagesize",
  "hw.pagesize_compat",
  "hw.physicalcpu",
  "hw.physicalcpu_max",
  "hw.tbfrequency_compat",
  "hw.vectorunit",
  "kern.argmax",
  "kern.boottime",
  "kern.clockrate",
  "kern.hostname",
  "kern.maxfiles",
  "kern.maxfilesperproc",
  "kern.maxproc",
  "kern.ngroups",
  "kern.osproductversion",
  "kern.osrelease",
  "kern.ostype",
  "kern.osvariant_status",
  "kern.osversion",
  "kern.secure_kernel",
  "kern.tcsm_available",
  "kern.tcsm_enable",
  "kern.usrstack64",
  "kern.version",
  "machdep.cpu.brand_string",
  "machdep.ptrauth_enabled",
  "security.mac.lockdown_mode_state",
  "sysctl.proc_cputype",
  "sysctl.proc_translated",
  "vm.loadavg",
];

const SYSCTL_PREFIXES: readonly string[] = [
  "hw.optional.",
  "hw.perflevel",
  "kern.proc.all",
  "kern.proc.pgrp.",
  "kern.proc.pid.",
  "machdep.cpu.",
  "net.routetable.",
];

/** Processes, information, memory shared by name, terminals. */
export function baseRules(): string[] {
  return [
    "(version 1)",
    "(deny default)",
    "; processes: what is started stays inside",
    "(allow process-fork)",
    "(allow process-info* signal mach-priv-task-port (target same-sandbox))",
    "; information",
    `(allow sysctl-read${
      [
        ...SYSCTLS.map((name) => `\n  (sysctl-name "${name}")`),
        ...SYSCTL_PREFIXES.map((name) => `\n  (sysctl-name-prefix "${name}")`),
      ].join("")
    })`,
    '(allow sysctl-write (sysctl-name "kern.tcsm_enable") (sysctl-name "kern.grade_cputype"))',
    "(allow user-preference-read)",
    '(allow iokit-open (iokit-registry-entry-class "RootDomainUserClient"))',
    machLookup(MACH_SERVICES),
    "; memory and semaphores by name",
    "(allow ipc-posix-sem)",
    '(allow ipc-posix-shm-read* (ipc-posix-name "apple.shm.notification_center") (ipc-posix-name-prefix "apple.cfprefs."))',
    '(allow ipc-posix-shm-read-data ipc-posix-shm-write-create ipc-posix-shm-write-unlink (ipc-posix-name-regex #"^/__KMP_REGISTERED_LIB_[0-9]+$"))',
    "(allow system-socket (require-all (socket-domain AF_SYSTEM) (socket-protocol 2)))",
    "; what is there may be seen, as stat shows it; links are followed",
    "(allow file-read-metadata file-test-existence)",
    '(allow file-read-data (literal "/"))',
    "; the terminal that was inherited: its settings, not the terminals of others",
    '(allow file-ioctl (regex #"^/dev/ttys[0-9]+$"))',
    '(allow file-read-data file-write-data (regex #"^/dev/fd/[0-9]+$"))',
  ];
}

/** Looking up these services. */
export function machLookup(names: readonly string[]): string {
  return `(allow mach-lookup${
    names.map((name) => `\n  (global-name "${name}")`).join("")
  })`;
}

/** What the network needs besides sockets. */
export function networkServices(): string {
  return machLookup(NETWORK_SERVICES);
}

/** The keychain, for an agent that keeps its login there. The launch grants the user's own keychain directory. */
export function keychainRules(): string[] {
  return [
    "; the login of the agent is in the keychain",
    machLookup(KEYCHAIN_SERVICES),
    '(allow file-read* (literal "/Library/Keychains/System.keychain") (subpath "/private/var/db/mds"))',
    '(allow ipc-posix-shm* (ipc-posix-name "com.apple.AppleDatabaseChanged"))',
  ];
}
