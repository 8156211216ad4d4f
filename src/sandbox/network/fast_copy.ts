/** A long copy that the kernel makes: what nobody here looks at need not pass through here. */
import type { Connection } from "../../os/sockets.ts";
import { Splice } from "../../os/splice.ts";
import { nextTurn } from "../../os/timers.ts";

/** What is copied in the usual way while one waits for more, or for room. */
const WAIT_BYTES = 16 * 1024;
/** Below this in one go it is no longer worth its two descriptors. */
const FEW_BYTES = 32 * 1024;
/** After so much in one go it is the others' turn. */
const TURN_BYTES = 2 * 1024 * 1024;

/** From where to where. */
export interface Way {
  readonly from: Connection;
  readonly to: Connection;
  /** Sends all of some bytes to `to`. */
  readonly send: (bytes: Uint8Array) => Promise<void>;
  /** Hears of everything that moves. */
  readonly onUse: () => void;
}

/** How far it came. */
export interface Moved {
  readonly count: number;
  /** Whether nothing more will come. */
  readonly isEnded: boolean;
  /** Whether the kernel does this at all. */
  readonly works: boolean;
}

const NOTHING: Moved = { count: 0, isEnded: false, works: false };

/** Copies while much comes, `max` bytes at most. All of what was counted has been sent. */
export async function copyFast(
  way: Way,
  max: number,
): Promise<Moved> {
  using splice = Splice.open(way.from, way.to);
  if (splice === undefined) return NOTHING;
  const room = new Uint8Array(WAIT_BYTES);
  let count = 0;
  while (count < max) {
    const first = await way.from.read(room.subarray(0, max - count));
    way.onUse();
    if (first === null) return { count, isEnded: true, works: true };
    splice.put(room.subarray(0, first));
    const burst = await copyBurst(splice, way, {
      max: max - count - first,
      room,
    });
    const together = first + burst.count;
    count += together;
    if (burst.isEnded || !burst.works) return { ...burst, count };
    if (together < FEW_BYTES) break;
  }
  return { count, isEnded: false, works: true };
}

/** Copies until nothing more is there, and all of it has gone. */
async function copyBurst(
  splice: Splice,
  { send, onUse }: Way,
  { max, room }: {
    readonly max: number;
    readonly room: Uint8Array<ArrayBuffer>;
  },
): Promise<Moved> {
  let count = 0;
  let turn = 0;
  let isEnded = false;
  while (true) {
    const step = splice.step(isEnded ? 0 : max - count);
    count += step.taken;
    turn += step.given;
    isEnded ||= step.isEnded;
    if (step.taken > 0 || step.given > 0) {
      onUse();
    } else if (splice.held === 0) {
      return { count, isEnded, works: splice.works };
    } else {
      // The other side has no room. A small part that waits for it tells when there is some again.
      await send(splice.take(room));
      turn = 0;
    }
    if (turn < TURN_BYTES) continue;
    await nextTurn();
    turn = 0;
  }
}
