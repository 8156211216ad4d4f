/** Transactions: every change to the home or a project is whole, written down, and can be taken back. */
export {
  concerns,
  type History,
  type HistoryItem,
  readHistory,
} from "./history.ts";
export { parseTxId } from "./id.ts";
export { prune } from "./prune.ts";
export type { Pruned, PruneLimits } from "./prune_old.ts";
export type { Broken, Recovered } from "./recover.ts";
export {
  rollback,
  type RollbackInput,
  rollbackPending,
  type RollbackResult,
} from "./rollback.ts";
export {
  DEFAULT_LIMITS,
  runTransaction,
  type TxInput,
  withHome,
} from "./run.ts";
export type { Put } from "./put.ts";
export { scratchPath } from "./scratch.ts";
export type { Transaction } from "./transaction.ts";
export { pathsOf, type TxHome, type TxId, type TxRecord } from "./types.ts";
