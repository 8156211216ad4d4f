/** Which decisions about variables rest on their values, found out by asking for others. */
import { isSwitch, type RememberedVariables } from "./env_memory.ts";
import type { VariableDecision } from "./types.ts";

type Variables = Readonly<Record<string, string>>;

/** A value that nobody has reason to keep back, and one that must not be given on. */
const PLAIN = "x-y";
const CREDENTIAL = "ghp_0123456789012345678901234567890123456789";

/** What a later launch has to know of the decisions; undefined when they should be made anew each time. */
export function rememberVariables(
  variables: Variables,
  decide: (variables: Variables) => readonly VariableDecision[],
): RememberedVariables | undefined {
  const names = Object.keys(variables).sort();
  const passing = (value?: string) => {
    const asked = value === undefined
      ? variables
      : Object.fromEntries(names.map((name) => [name, value]));
    const found = decide(asked).filter(({ passes }) => passes);
    return new Set(found.map(({ name }) => name));
  };
  const ways: Ways = {
    now: passing(),
    plain: passing(PLAIN),
    path: passing("/x/y"),
    credential: passing(CREDENTIAL),
    empty: passing(""),
    on: passing("1"),
  };
  const codes = names.map((name) => codeOf(name, variables[name]!, ways));
  if (codes.includes(undefined)) return undefined;
  return { names, codes: codes.join("") };
}

/** The names that pass as they are, and with other values. */
type Ways = Readonly<
  Record<
    "now" | "plain" | "path" | "credential" | "empty" | "on",
    ReadonlySet<string>
  >
>;

function codeOf(name: string, value: string, ways: Ways): string | undefined {
  const [now, plain, path, credential, empty, on] = [
    ...[ways.now, ways.plain, ways.path, ways.credential, ways.empty, ways.on],
  ].map((set) => set.has(name));
  const others = [plain, path, credential, empty, on];
  if (others.every((passes) => passes === now)) return now ? "1" : "0";
  // Only a value that looks like a credential may make a difference, and then the other way.
  if (path !== plain || credential || !empty) return undefined;
  if (plain) return now && on ? "v" : undefined;
  if (!now) return "r";
  if (value === "") return "e";
  return on && isSwitch(value) ? "s" : undefined;
}
