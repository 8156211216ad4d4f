/** Joins this process's standard input and output to a Unix socket. */
import { writeError } from "./terminal.ts";

/**
 * Connects twice: first for what comes, then for what is sent. Returns when the other side has ended: 0, or 1 when nobody
 * listens there.
 */
export async function relayTo(path: string): Promise<number> {
  const answers = await connect(path);
  const input = answers && await connect(path);
  if (answers === undefined || input === undefined) {
    writeError(
      "aenv: cannot reach the server: the launch that it belongs to has ended\n",
    );
    return 1;
  }
  // It ends when the agent has said all, or when the server does not listen any more.
  void Deno.stdin.readable.pipeTo(input.writable).catch(() => {});
  await answers.readable.pipeTo(Deno.stdout.writable).catch(() => {});
  return 0;
}

async function connect(path: string): Promise<Deno.UnixConn | undefined> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    const isGone = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.ConnectionRefused;
    if (!isGone) throw error;
    return undefined;
  }
}
