/** A home with transactions, for tests of what is taken back. */
import type { AbsPath } from "../../src/base/paths.ts";
import { transact, txHome } from "../../src/env/slots.ts";
import {
  type Recovered,
  rollback,
  type RollbackInput,
  rollbackPending,
  type RollbackResult,
  type Transaction,
} from "../../src/tx/mod.ts";
import { EnvWorld } from "./env_world.ts";
import { snapshot } from "./snapshot.ts";

/** What is no state of an env: the journal itself. */
const JOURNAL = /^\/\.aenv\/(state|trash|\.lock)(\/|$)/;

/** An {@link EnvWorld} that can be compared as a whole. */
export class TxWorld extends EnvWorld {
  /** Kinds, modes and contents of everything below the user's home but the journal. */
  state(): Record<string, string> {
    const all = Object.entries(snapshot(this.home));
    return Object.fromEntries(all.filter(([path]) => !JOURNAL.test(path)));
  }

  /** Runs a transaction. */
  change<T>(work: (tx: Transaction, scratch: AbsPath) => T): Promise<T> {
    const about = {
      kind: "test",
      env: null,
      prepare: (scratch: AbsPath) => scratch,
    };
    return transact(about, { host: this.host(), dirs: this.dirs }, work);
  }

  /** Takes the last change back, or the one that is named. */
  rollback(input: Partial<RollbackInput> = {}): Promise<RollbackResult> {
    const whole = { id: undefined, slotName: undefined, force: false };
    return rollback(this.#home, { ...whole, ...input });
  }

  /** Clears up behind dead processes. */
  recover(force = false): Promise<Recovered> {
    return rollbackPending(this.#home, { force });
  }

  /** Changes the record of a transaction, by default the newest. */
  editRecord(
    edit: (record: Record<string, unknown>) => void,
    id = this.ids().at(-1)!,
  ): void {
    const file = `.aenv/state/${id}/record.json`;
    const record = JSON.parse(this.read(file));
    edit(record);
    this.write(file, JSON.stringify(record));
  }

  /** Makes the newest transaction look as if its process had been killed just before it ended. */
  kill(): void {
    this.editRecord((record) => {
      record["status"] = "pending";
      record["finished"] = null;
      record["whole"] = false;
      record["owner"] = { pid: 1, start: "0" };
    });
  }

  /** Names in the journal, oldest first. */
  ids(): string[] {
    return this.exists(".aenv/state") ? this.names(".aenv/state") : [];
  }

  get #home() {
    return txHome(this.host(), this.dirs);
  }
}
