/** Memory that is the program's own to place: nothing else lies in its pages, and no garbage collector knows of it. Linux. */
import { CallList } from "./call_list.ts";
import { CALL } from "./call_numbers.ts";
import { PAGE } from "./clone_code.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const WORD = 8;
const ENCODER = new TextEncoder();

/** Some pages, which are handed out piece by piece and never taken back. */
export class Pages {
  readonly address: number;
  readonly size: number;
  readonly #buffer: ArrayBuffer;
  #used = 0;

  private constructor(address: number, size: number) {
    const pointer = Deno.UnsafePointer.create(BigInt(address))!;
    this.address = address;
    this.size = size;
    this.#buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, size);
  }

  /** Adds the call to a list that maps so many pages, and returns its place there. */
  static add(list: CallList, count: number): number {
    const access = PROT_READ | PROT_WRITE;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS;
    return list.add(CALL.mmap, [0, count * PAGE, access, flags, -1, 0]);
  }

  /** The pages that this call has mapped. */
  static of(list: CallList, call: number, count: number): Pages {
    return new Pages(list.wide(call), count * PAGE);
  }

  /** So many bytes, all 0. Throws a RangeError when there is no room. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#buffer, this.#used, size);
    this.#used += Math.ceil(size / WORD) * WORD;
    return bytes;
  }

  /** Puts numbers of 32 bits there; returns where they lie. */
  put(numbers: readonly number[]): number {
    const at = this.address + this.#used;
    const { buffer, byteOffset } = this.take(numbers.length * 4);
    new Int32Array(buffer, byteOffset, numbers.length).set(numbers);
    return at;
  }

  /** Puts a C string there, which holds no NUL. */
  text(text: string): number {
    const at = this.address + this.#used;
    // No character takes more than three bytes.
    const place = new Uint8Array(this.#buffer, this.#used);
    const { read, written } = ENCODER.encodeInto(text, place);
    if (read < text.length) throw new RangeError("the pages are full");
    this.take(written + 1);
    return at;
  }

  /** Puts a list of C strings there, as `char *[]`. */
  texts(texts: readonly string[]): number {
    const places = texts.map((text) => this.text(text));
    return this.put([...places, 0].flatMap((at) => [at | 0, at / 2 ** 32]));
  }

  /** Gives the pages back. Nothing may look at them any more. */
  unmap(): undefined {
    const list = new CallList(1);
    list.add(CALL.munmap, [this.address, this.size]);
    list.run();
  }
}
