/** Words for what a copy left behind. */
import { escapeControl } from "../base/text.ts";
import type { LeftOut } from "../env/mod.ts";

/** Most names that are printed for one reason. */
const SHOWN = 10;

/** Lines that name what was left out, by reason; none when nothing was. */
export function leftOutLines(items: readonly LeftOut[]): string[] {
  const reasons = [...new Set(items.map((item) => item.why))];
  return reasons.flatMap((why) => {
    const paths = items.filter((item) => item.why === why)
      .map((item) => `  ${escapeControl(item.path)}`);
    const more = paths.length - SHOWN;
    return [
      `left out, because ${why}:`,
      ...paths.slice(0, SHOWN),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ];
  });
}
