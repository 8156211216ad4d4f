/** The kernel's own audit messages. Linux, and only for root outside of containers, where the machine's audit is switched on. */
import { closeDescriptor } from "./fds.ts";
import { syscall } from "./syscall.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_AUDIT = 9;
const READ_GROUP = 1;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_DONTWAIT = 0x40;
/** How long to wait for the answer of a kernel thread, microseconds. */
const PATIENCE = 200_000n;
const AUDIT_GET = 1000;
const NLM_F_REQUEST = 1;
const HEADER_BYTES = 16;
/** In struct audit_status. */
const ENABLED = HEADER_BYTES + 4;
const MAX_BYTES = 16 * 1024;

/** One message: its number, and its text without what stands before the first field. */
export interface KernelMessage {
  readonly type: number;
  readonly text: string;
}

/** Hears what the kernel tells from now on. Use with `using`. */
export class KernelAudit implements Disposable {
  /** Has data when there is a message. */
  readonly descriptor: number;
  readonly #buffer = new Uint8Array(MAX_BYTES);

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /** Undefined where this process may not hear it, or nothing would come. */
  static open(): KernelAudit | undefined {
    if (Deno.build.os !== "linux" || syscall("geteuid") !== 0) return undefined;
    const type = SOCK_RAW | SOCK_CLOEXEC;
    const socket = syscall("socket", AF_NETLINK, type, NETLINK_AUDIT);
    if (socket < 0) return undefined;
    const audit = new KernelAudit(socket);
    if (audit.#isEnabled() && audit.#join()) return audit;
    audit[Symbol.dispose]();
    return undefined;
  }

  /** The messages that wait. */
  read(): KernelMessage[] {
    const messages: KernelMessage[] = [];
    while (true) {
      const bytes = this.#receive(MSG_DONTWAIT);
      if (bytes === undefined) return messages;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const text = new TextDecoder().decode(bytes.subarray(HEADER_BYTES))
        .replace(/\0+$/, "").replace(/^audit\([^)]*\): /, "");
      messages.push({ type: view.getUint16(4, true), text });
    }
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.descriptor);
  }

  #isEnabled(): boolean {
    const request = new Uint8Array(HEADER_BYTES);
    const view = new DataView(request.buffer);
    view.setUint32(0, HEADER_BYTES, true);
    view.setUint16(4, AUDIT_GET, true);
    view.setUint16(6, NLM_F_REQUEST, true);
    const time = new Uint8Array(new BigInt64Array([0n, PATIENCE]).buffer);
    const option = [SOL_SOCKET, SO_RCVTIMEO, time, time.length] as const;
    syscall("setsockopt", this.descriptor, ...option);
    const args = [request, request.length, 0, 0, 0] as const;
    if (syscall("sendto", this.descriptor, ...args) !== request.length) {
      return false;
    }
    const answer = this.#receive(0);
    if (answer === undefined || answer.length < ENABLED + 4) return false;
    const found = new DataView(answer.buffer, answer.byteOffset);
    return found.getUint16(4, true) === AUDIT_GET &&
      found.getUint32(ENABLED, true) !== 0;
  }

  #join(): boolean {
    const group = new Uint8Array(new Int32Array([READ_GROUP]).buffer);
    const option = [SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group, 4] as const;
    return syscall("setsockopt", this.descriptor, ...option) === 0;
  }

  #receive(flags: number): Uint8Array<ArrayBuffer> | undefined {
    const buffer = this.#buffer;
    const args = [buffer, buffer.length, flags, 0, 0] as const;
    const count = syscall("recvfrom", this.descriptor, ...args);
    return count < HEADER_BYTES ? undefined : buffer.slice(0, count);
  }
}
