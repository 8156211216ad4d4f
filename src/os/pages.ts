/** Memory that is the program's own to place: nothing else lies in its pages, and no garbage collector knows of it. Linux. */
import { PAGE } from "./clone_code.ts";
import { cString } from "./libc.ts";
import { addressOf, syscall } from "./syscall.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const WORD = 8;

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

  /** So many pages; undefined when there are none. */
  static map(count: number): Pages | undefined {
    const size = count * PAGE;
    const access = PROT_READ | PROT_WRITE;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS;
    const address = syscall("mmap", 0, size, access, flags, -1, 0);
    return address < 0 ? undefined : new Pages(address, size);
  }

  /** So many bytes, all 0. Throws a RangeError when there is no room. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#buffer, this.#used, size);
    this.#used += Math.ceil(size / WORD) * WORD;
    return bytes;
  }

  /** Puts bytes there; returns where they lie. */
  put(bytes: Uint8Array): bigint {
    const place = this.take(bytes.length);
    place.set(bytes);
    return addressOf(place);
  }

  /** Puts a C string there. */
  text(text: string): bigint {
    return this.put(cString(text));
  }

  /** Puts a list of C strings there, as `char *[]`. */
  texts(texts: readonly string[]): bigint {
    const words = [...texts.map((text) => this.text(text)), 0n];
    return this.put(new Uint8Array(new BigUint64Array(words).buffer));
  }

  /** Gives the pages back. Nothing may look at them any more. */
  unmap(): undefined {
    syscall("munmap", this.address, this.size);
  }
}
