/** Unix sockets as plain descriptors, which programs can be given; and who is at the other end. Linux and macOS. */
import { AppError } from "../base/errors.ts";
import { type AbsPath, join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import { bytesOf, closeOnExec, processCalls } from "./c_process.ts";
import { chmod, FILE_MODE, removeFile } from "./fs.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const BACKLOG = 128;
const SHUT_BOTH = 2;
/** The longest path that fits on both systems, in bytes. */
const MAX_PATH_BYTES = 103;
const isDarwin = Deno.build.os === "darwin";

/** Who is at the other end of a connection. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
}

/** Listens on a new socket, mode 0600. Returns its descriptor. Throws `PATH_INVALID`, `IO`. */
export function listenAt(path: AbsPath): number {
  const address = addressOf(path);
  const calls = processCalls();
  const fd = calls.socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) throw failed("make", path);
  closeOnExec(fd);
  // The directory keeps others out until the mode is set.
  if (
    calls.bind(fd, address, address.length) !== 0 ||
    calls.listen(fd, BACKLOG) !== 0
  ) {
    calls.close(fd);
    throw failed("listen on", path);
  }
  chmod(path, FILE_MODE);
  return fd;
}

/** Takes the next connection; undefined when there is none after all. */
export function acceptConnection(listener: number): number | undefined {
  const fd = processCalls().accept(listener, null, null);
  if (fd < 0) return undefined;
  closeOnExec(fd);
  return fd;
}

/** Ends a connection for both sides, whoever else holds it; what was sent can still be read. */
export function endConnection(fd: number): void {
  processCalls().shutdown(fd, SHUT_BOTH);
}

/** Who connected, as the kernel noted it then; undefined when it does not say. */
export function peerOf(fd: number): Peer | undefined {
  return isDarwin ? darwinPeer(fd) : linuxPeer(fd);
}

function linuxPeer(fd: number): Peer | undefined {
  const [SOL_SOCKET, SO_PEERCRED] = [1, 17];
  const found = new Int32Array(3);
  const size = bytesOf(new Uint32Array([found.byteLength]));
  const calls = processCalls();
  const code = calls.getsockopt(
    fd,
    SOL_SOCKET,
    SO_PEERCRED,
    bytesOf(found),
    size,
  );
  const [pid, uid] = [found[0]!, found[1]!];
  // 0: it lives in a process namespace that this one does not see.
  return code === 0 && pid > 0 ? { pid, uid: uid >>> 0 } : undefined;
}

function darwinPeer(fd: number): Peer | undefined {
  const [SOL_LOCAL, LOCAL_PEERPID] = [0, 2];
  const calls = processCalls();
  const pid = new Int32Array(1);
  const size = bytesOf(new Uint32Array([4]));
  const ids = new Uint32Array(2);
  const code = calls.getsockopt(
    fd,
    SOL_LOCAL,
    LOCAL_PEERPID,
    bytesOf(pid),
    size,
  );
  const [uid, gid] = [ids.subarray(0, 1), ids.subarray(1)];
  const known = calls.darwin?.getpeereid(fd, bytesOf(uid), bytesOf(gid));
  return code === 0 && known === 0 ? { pid: pid[0]!, uid: ids[0]! } : undefined;
}

/** A `sockaddr_un`. */
function addressOf(path: AbsPath): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length > MAX_PATH_BYTES || bytes.includes(0)) {
    throw new AppError(
      "PATH_INVALID",
      `Cannot make a socket at ${
        quote(path)
      }: the path has more than ${MAX_PATH_BYTES} bytes`,
      { hint: "Set AENV_HOME to a shorter path" },
    );
  }
  const address = new Uint8Array(2 + bytes.length + 1);
  if (isDarwin) address.set([address.length, AF_UNIX]);
  else new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(bytes, 2);
  return address;
}

function failed(action: string, path: AbsPath): AppError {
  const state = "the system refused it";
  return new AppError("IO", `Cannot ${action} ${quote(path)}: ${state}`);
}

/** Removes the sockets with these names. */
export function removeSockets(dir: AbsPath, names: readonly string[]): void {
  for (const name of names) removeFile(join(dir, name));
}
