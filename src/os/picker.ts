/** Choosing among rows on a terminal. Loaded only where one is asked. */
import process from "node:process";
import { isCancel, multiselect } from "@clack/prompts";

/** A row to choose. Labels are shown as they are: make them safe for a terminal first. */
export interface PickRow {
  readonly value: string;
  readonly label: string;
  /** Shown behind the label of the row that the cursor is on. */
  readonly hint: string;
  readonly isChosen: boolean;
}

/** Asks on standard error which rows are meant; undefined when the user leaves. The terminal is as it was afterwards. */
export async function pickMany(
  question: string,
  rows: readonly PickRow[],
): Promise<readonly string[] | undefined> {
  const answer = await multiselect({
    message: question,
    options: rows.map(({ value, label, hint }) => ({ value, label, hint })),
    initialValues: rows.filter(({ isChosen }) => isChosen).map(({ value }) =>
      value
    ),
    required: false,
    output: process.stderr,
  });
  return isCancel(answer) ? undefined : answer;
}
