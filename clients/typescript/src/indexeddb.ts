/**
 * The store of a browser, in IndexedDB.
 *
 * Knows the tables and what can go wrong with them. Must not know what they
 * mean. Every call is one transaction. Transactions over the same tables run in
 * the order in which they were begun, in all tabs: that is what gives each write
 * a number of its own.
 *
 * A write, its end and its number are on the disk before the call returns
 * (`durability: "strict"`): they must not come back, or go, with the power. What
 * the server can tell again is left to the browser's own time.
 *
 * The bare interface is used: what is written needs no promise of its own, the
 * transaction has one, and a library would be a tenth of the whole client.
 */
import { RhtmxError } from "./errors.ts";
import { mustLast, renumber, stateOf } from "./store.ts";
import type { Op, State, Store, Write } from "./store.ts";

/** Writes are kept by id and not by number: they are numbered anew where they are. */
const TABLES = ["record", "place", "write", "refused", "meta"];

/** See the head of the file. */
export class IndexedStore implements Store {
  onlost?: (error: RhtmxError) => void;
  readonly #name: string;
  readonly #clientId: string | undefined;
  readonly #secret: string | undefined;
  readonly #makeId: () => string;
  #db: Promise<IDBDatabase> | undefined;
  #lost: RhtmxError | undefined;

  /**
   * @param name of the database.
   * @param makeId makes the client's id, the first time.
   * @param clientId the client's id, if the application gives one.
   * @param secret what gives it the right to that, if the application gives it.
   */
  constructor(name: string, makeId: () => string, clientId?: string, secret?: string) {
    this.#name = name;
    this.#makeId = makeId;
    this.#clientId = clientId;
    this.#secret = secret;
  }

  load(): Promise<State> {
    return this.#run(false, async (table) => {
      const tables = TABLES.map(async (name) => {
        const [keys, values] = [table(name).getAllKeys(), table(name).getAll()];
        await result(values);
        const head = name === "meta" ? [] : [name];
        return keys.result.map((key, at) => [...head, key, values.result[at]].flat() as never as Op);
      });
      const state = stateOf((await Promise.all(tables)).flat());
      const { meta } = state;
      const id = this.#clientId ?? (meta.client_id || this.#makeId());
      // The secret of another id is of no use to this one.
      const secret = this.#secret ?? ((meta.client_id === id && meta.secret) || "");
      table("meta").put((meta.client_id = id), "client_id");
      table("meta").put((meta.secret = secret), "secret");
      return state;
    });
  }

  add(write: Write, refused = ""): Promise<number> {
    return this.#run(true, async (table) => {
      const seq = ((await result(table("meta").get("last"))) ?? 0) + 1;
      table("meta").put(seq, "last");
      table("write").put({ ...write, seq }, write.id);
      table("refused").delete(refused);
      return seq;
    });
  }

  apply(ops: readonly Op[], leader?: string): Promise<boolean> {
    return this.#run(ops.some(mustLast), async (table) => {
      if (leader && (await result(table("meta").get("leader"))) !== leader) return false;
      for (const op of ops) await applied(table, op);
      return true;
    });
  }

  close(): void {
    this.#db?.then((db) => db.close()).catch(() => {});
  }

  #open(): Promise<IDBDatabase> {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1);
      request.onupgradeneeded = () => TABLES.map((each) => request.result.createObjectStore(each));
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const db = request.result;
        const lose = () => {
          db.close();
          this.#lost = failed("it is gone: copy what you need, reload the page");
          this.onlost?.(this.#lost);
        };
        // The browser has taken it away, or another tab deletes it.
        db.onclose = db.onversionchange = lose;
        resolve(db);
      };
    });
  }

  async #run<T>(strict: boolean, act: (table: Table) => Promise<T>): Promise<T> {
    try {
      if (this.#lost) throw this.#lost;
      const db = await (this.#db ??= this.#open());
      const durability = strict ? "strict" : "relaxed";
      const transaction = db.transaction(TABLES, "readwrite", { durability });
      const ended = new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
      const acted = act((name) => transaction.objectStore(name));
      // All or nothing. The reason is the transaction's if it has ended by itself.
      acted.catch(() => transaction.error ?? transaction.abort());
      return (await Promise.all([acted, ended]))[0];
    } catch (error) {
      throw understood(error as Error);
    }
  }
}

type Table = (name: string) => IDBObjectStore;

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Applies an operation; nothing has to be waited for but what reads. */
async function applied(table: Table, op: Op): Promise<void> {
  const meta = table("meta");
  switch (op[0]) {
    case "record":
      return put(table("record"), [op[1], op[2]], op[3]);
    case "place":
    case "write":
    case "refused":
      return put(table(op[0]), op[1], op[2]);
    case "last":
      meta.put(Math.max(op[1], (await result(meta.get("last"))) ?? 0), "last");
      break;
    case "renumber": {
      const before = (await result(meta.get("last"))) ?? 0;
      const writes = table("write");
      const keep = (each: Write) => void writes.put(each, each.id);
      meta.put(renumber(await result(writes.getAll()), before, op[1], keep), "last");
      break;
    }
    default:
      meta.put(op[1], op[0]);
  }
}

function put(table: IDBObjectStore, key: IDBValidKey, value: unknown): void {
  if (value) table.put(value, key);
  else table.delete(key);
}

function understood(error: Error): RhtmxError {
  if (error instanceof RhtmxError) return error;
  if (error?.name !== "QuotaExceededError") return failed(error?.message);
  return new RhtmxError("storage_full", "no space left: nothing was written");
}

function failed(why: string): RhtmxError {
  return new RhtmxError("storage_failed", `the browser's storage failed: ${why}`);
}
