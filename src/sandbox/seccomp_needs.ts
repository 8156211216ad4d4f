/** What is asked of a filter for system calls. */
import type { Architecture, SyscallName } from "../os/syscall_numbers.ts";
import type { Filter } from "./bpf.ts";

/** What a filter has to do besides what it always does. */
export interface SeccompNeeds {
  readonly architecture: Architecture;
  /** Internet sockets: none; TCP only, to where a mediator says; TCP and UDP. */
  readonly internet: "none" | "mediated" | "open";
  /** Unix sockets: none but socketpairs; to where a mediator says; as the kernel's own rules say. */
  readonly unix: "none" | "mediated" | "kernel";
  /** Whether truncation has to be stopped here, since Landlock does not. */
  readonly truncation: boolean;
  /** Whether devices that may not be opened have to be kept out of control here, since Landlock does not. */
  readonly devices: boolean;
  /** Whether memory and messages that are shared by number are its own, in a namespace. */
  readonly ownSharedMemory: boolean;
  /** Who is asked about signals: the kernel's own rules, or a mediator. */
  readonly signals: "kernel" | "mediated";
  /** Whether the mark of the session must stay. */
  readonly marked: boolean;
}

/** Whether some calls wait for a mediator's answer. */
export function asksMediator(
  { internet, unix, signals }: Pick<
    SeccompNeeds,
    "internet" | "unix" | "signals"
  >,
): boolean {
  return [internet, unix, signals].includes("mediated");
}

/** What is said about one call, or several. */
export interface CallRule {
  readonly calls: readonly SyscallName[];
  readonly then: Filter;
}
