/** Names of machines to addresses, as every other program on this system finds them (hosts file, DNS, …). */
import type { LookupAddress } from "node:dns";

/** The addresses of a name, in the system's order; empty when there is no such name. */
export type LookUp = (name: string) => Promise<readonly string[]>;

/** Asks the system. Whatever it cannot answer is an empty list. */
export async function lookUp(name: string): Promise<readonly string[]> {
  const dns = await import("node:dns/promises");
  try {
    const found: LookupAddress[] = await dns.lookup(name, {
      all: true,
      verbatim: true,
    });
    return found.map(({ address }) => address);
  } catch (error) {
    if (error instanceof Error && "code" in error) return [];
    throw error;
  }
}
