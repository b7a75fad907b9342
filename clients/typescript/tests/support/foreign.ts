/**
 * Notices what waits for something foreign while a transaction of IndexedDB is open: in Firefox
 * and WebKit that ends the transaction, and Chromium waits for `crypto.subtle` only.
 *
 * A transaction goes on from request to request. So at the end of the turn in which the last of its
 * requests was answered there is another one, or whoever runs it is done, or it was told to commit.
 */
import { Database } from "../../src/stores/database.ts";

const ASKS = ["get", "getAll", "getAllKeys", "getKey", "put", "delete", "count"] as const;

type Ask = (this: never, ...given: unknown[]) => IDBRequest;

/** What there is to say of each transaction that waited; call it after `fake-indexeddb/auto`. */
export function foreignWaits(): string[] {
  const found: string[] = [];
  const open = new Map<IDBTransaction, number>();
  const look = (transaction: IDBTransaction, when: string) => {
    if (open.get(transaction) === 0) found.push(`nothing is asked ${when}, and it is not done`);
    open.delete(transaction);
  };
  for (const table of [IDBObjectStore, IDBIndex]) {
    for (const name of ASKS) {
      const { prototype } = table as unknown as { prototype: Record<string, Ask> };
      const ask = prototype[name];
      if (!ask) continue;
      prototype[name] = function (this: IDBObjectStore | IDBIndex, ...given) {
        const request = ask.apply(this as never, given);
        const { transaction } = "objectStore" in this ? this.objectStore : this;
        const count = (by: number) => {
          if (open.has(transaction)) open.set(transaction, open.get(transaction)! + by);
        };
        count(1);
        const answered = () => {
          count(-1);
          const check = () => open.get(transaction) === 0 && look(transaction, `after ${name}`);
          // Once every promise that can go on has, and before anything else happens.
          queueMicrotask(() => process.nextTick(check));
        };
        request.addEventListener("success", answered);
        request.addEventListener("error", () => count(-1));
        return request;
      };
    }
  }
  const { transact } = Database.prototype;
  Database.prototype.transact = function (db, strict, act, tables) {
    const noticed: typeof act = (table, transaction) => {
      open.set(transaction, 0);
      transaction.addEventListener("complete", () => look(transaction, "until its end"));
      transaction.addEventListener("abort", () => open.delete(transaction));
      const commit = transaction.commit.bind(transaction);
      transaction.commit = () => (open.delete(transaction), commit());
      const acted = act(table, transaction);
      const done = () => void open.delete(transaction);
      acted.then(done, done);
      return acted;
    };
    return transact.call(this, db, strict, noticed as never, tables) as never;
  };
  return found;
}
