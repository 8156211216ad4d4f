/** The machine's own audit, which tests of what it tells need for a moment. */

/** Sets whether it is on, and prints whether it was. Fails where this may not be done: without root, and in containers. */
const SCRIPT = `
import socket, struct, sys
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)
s.bind((0, 0))
def ask(kind, data, flags):
    s.send(struct.pack("=IHHII", 16 + len(data), kind, flags, 1, 0) + data)
    return s.recv(8192)
was = struct.unpack("=I", ask(1000, b"", 1)[20:24])[0]
status = struct.pack("=10I", 1, int(sys.argv[1]), *[0] * 8) + bytes(8)
assert struct.unpack("=i", ask(1001, status, 5)[16:20])[0] == 0
print(was)
`;

/** Switches it on where that is allowed, and back at the end. Use with `using`. */
export class KernelAuditSwitch implements Disposable {
  /** Whether it is on now. */
  readonly isOn: boolean;
  readonly #before: string | undefined;

  constructor() {
    this.#before = Deno.build.os === "linux" ? set("1") : undefined;
    this.isOn = this.#before !== undefined;
  }

  [Symbol.dispose](): void {
    if (this.#before === "0") set("0");
  }
}

function set(value: string): string | undefined {
  const { code, stdout } = new Deno.Command("python3", {
    args: ["-c", SCRIPT, value],
    stderr: "null",
  }).outputSync();
  return code === 0 ? new TextDecoder().decode(stdout).trim() : undefined;
}
