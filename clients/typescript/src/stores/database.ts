/**
 * One database of the browser, open as long as it can be.
 *
 * Knows how it is opened, what ends it, and how a transaction ends. Must not know
 * its tables.
 *
 * Browsers close a database without being asked: Chromium and Firefox when the process
 * that keeps it ends or the user clears the site's data, WebKit when another tab upgrades
 * it. So what fails is tried once more on a fresh connection, if behind that is the same
 * database: in an empty one numbers would begin anew. One that somebody deletes by
 * `deleteDatabase` is not made again: they want what is in it gone.
 *
 * | state     | what comes next                                                              |
 * | --------- | ---------------------------------------------------------------------------- |
 * | `closed`  | somebody asks for something: `opening`                                       |
 * | `opening` | it is the same database: `open`; it fails, or takes too long: `closed`       |
 * | `open`    | the browser takes it away, a transaction fails on it: `closed`               |
 * | `gone`    | nothing; from every state, by `refuse`, `close`, or as somebody deletes it   |
 *
 * While the page is away nothing is begun, in whichever of them; what had begun is begun anew.
 *
 * Nothing but requests of the transaction may be waited for within it: other promises end
 * it in Firefox and WebKit, and only Chromium waits for `crypto.subtle` there.
 */
import { RhtmxError } from "../errors.ts";

/** The object store of a name, in a transaction. */
export type Table = (name: string) => IDBObjectStore;

const FAILED = "the browser's storage failed";
/** Milliseconds that opening may take: a tab that hangs in an upgrade, or a browser, holds it up for ever. */
const PATIENCE = 5_000;
/** The same for a transaction that waits for those of other tabs: they may have much to read. */
const PATIENCE_IN_LINE = 10_000;

/** What is there to be opened. */
export interface Layout {
  readonly name: string;
  readonly version: number;
  readonly tables: readonly string[];
  /** Makes the tables. */
  upgrade(transaction: IDBTransaction): void;
}

/** What was in the database is gone: another one is in its place. */
export class Replaced extends RhtmxError {}

/** A connection that is made anew when the browser ends it. Its calls fail with an `RhtmxError`. */
export class Database {
  /** Called when it is gone, though nobody asked for anything. */
  onlost?: (error: RhtmxError) => void;
  /** Whether this is the one that was open before; any, if there is none. */
  isSame: ((table: Table) => Promise<boolean>) | undefined;
  /** The connection, while there is one. */
  connection: IDBDatabase | undefined;
  /** How often it was taken away from a transaction that may have been committed. */
  takes = 0;
  readonly #layout: Layout;
  readonly #running = new Set<IDBTransaction>();
  /** There while the page is away. */
  #awake: Promise<void> | undefined;
  #wake = () => {};
  /** How often it went. */
  #sleeps = 0;
  #opening: Promise<IDBDatabase> | undefined;
  #gone: RhtmxError | undefined;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /**
   * Runs a transaction over all tables, or these: all of it is done, or nothing.
   *
   * @param act what it does; `isAgain`: one that did the same before has failed.
   */
  async run<T>(
    strict: boolean,
    act: (table: Table, isAgain: boolean) => Promise<T>,
    tables = this.#layout.tables,
  ): Promise<T> {
    let went = false;
    for (let isAgain = false; ; isAgain = true) {
      await this.#awake;
      const sleeps = this.#sleeps;
      let db: IDBDatabase | undefined;
      try {
        db = await this.#open();
        return await this.#attempt(db, strict, (table) => act(table, isAgain), tables);
      } catch (error) {
        // What ended because the page went is begun anew, however often it goes; what it had
        // begun to open may end only when it is back.
        const isBack = went;
        went = this.#sleeps !== sleeps;
        const isFinal = isAgain || !db || isFull(error) || error instanceof RhtmxError;
        if (isFinal && !went && !isBack) throw understood(error as Error);
        if (db) this.#drop(db);
      }
    }
  }

  /** Runs one on a connection; `act` is called at once. */
  async transact<T>(
    db: IDBDatabase,
    strict: boolean,
    act: (table: Table, transaction: IDBTransaction) => Promise<T>,
    tables = this.#layout.tables,
  ): Promise<T> {
    const durability = strict ? "strict" : "relaxed";
    const transaction = db.transaction(tables, "readwrite", { durability });
    let taken = () => {};
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () =>
        reject(transaction.error ?? new Error("a transaction was aborted"));
      // Chromium 156 lets one that was told to commit hang, if it takes the database away then.
      taken = () => {
        this.takes += 1;
        reject(new Error("the browser took the database away"));
      };
      db.addEventListener("close", taken);
    }).finally(() => db.removeEventListener("close", taken));
    const acted = act((name) => transaction.objectStore(name), transaction);
    // All or nothing. The reason is the transaction's if it has ended by itself.
    acted.catch(() => transaction.error ?? transaction.abort()).catch(() => {});
    try {
      return (await Promise.all([acted, ended]))[0];
    } catch (error) {
      // A request that its transaction took along as it ended does not know why: Firefox 153 tells
      // so what comes behind the one that found no room.
      if (isCalled(error, "AbortError")) await ended;
      throw error;
    }
  }

  /**
   * The page goes, maybe into the browser's cache, or is frozen. What `run` has begun is begun
   * anew when it is back: it would hold up all other pages until then. WebKitGTK 2.50 keeps a
   * page with a transaction, Chromium 156 one that makes the tables.
   */
  sleep(): void {
    this.#sleeps += 1;
    this.#awake ??= new Promise((resolve) => (this.#wake = resolve));
    for (const transaction of this.#running) {
      try {
        transaction.abort();
      } catch {
        // It commits.
      }
    }
  }

  /** The page is back. */
  wake(): void {
    this.#awake = undefined;
    this.#wake();
  }

  /** Nothing will be in it any more: it was closed, deleted or refused. */
  get isGone(): boolean {
    return !!this.#gone;
  }

  /** It must not be used any more. */
  refuse(why: string): void {
    if (this.connection) this.#drop(this.connection);
    this.#gone = failed(why);
    this.onlost?.(this.#gone);
  }

  /** What has begun is done; nothing else. */
  close(): void {
    this.connection?.close();
    this.#gone = failed("it was closed");
  }

  /** Runs a transaction that waits for its requests: it must not outlive the page. */
  #attempt<T>(
    db: IDBDatabase,
    strict: boolean,
    act: (table: Table) => Promise<T>,
    tables?: readonly string[],
  ): Promise<T> {
    const begin = (table: Table, transaction: IDBTransaction) => {
      this.#runs(transaction);
      return act(table);
    };
    return this.transact(db, strict, begin, tables);
  }

  #runs(transaction: IDBTransaction): void {
    this.#running.add(transaction);
    const end = () => this.#running.delete(transaction);
    transaction.addEventListener("complete", end);
    transaction.addEventListener("abort", end);
  }

  async #open(): Promise<IDBDatabase> {
    if (this.#gone) throw this.#gone;
    return soon((this.#opening ??= this.#connect()), PATIENCE, "it does not open");
  }

  #connect(): Promise<IDBDatabase> {
    const { name, version, upgrade } = this.#layout;
    const opening = new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(name, version);
      request.onupgradeneeded = () => {
        this.#runs(request.transaction!);
        upgrade(request.transaction!);
      };
      request.onerror = () => reject(request.error);
      request.onsuccess = () => resolve(request.result);
    }).then(async (db) => {
      // The browser has taken it away, or another tab upgrades it.
      db.onclose = () => this.#again(db);
      db.onversionchange = ({ newVersion }) => {
        if (newVersion !== null) return this.#again(db);
        db.close();
        this.refuse("it was deleted");
      };
      try {
        if (this.isSame && !(await this.#attempt(db, false, this.isSame)))
          throw new Replaced("storage_failed", `${FAILED}: another one is in its place`);
        if (this.#gone) throw this.#gone;
      } catch (error) {
        // Nobody would let go of it: it would hold up whoever deletes or upgrades it.
        db.close();
        throw error;
      }
      return (this.connection = db);
    });
    // The next call tries again.
    opening.catch(() => (this.#opening = undefined));
    return opening;
  }

  #again(db: IDBDatabase): void {
    this.#drop(db);
    this.run(false, async () => {}).catch((error: RhtmxError) => this.onlost?.(error));
  }

  /** This connection is of no use; another may be there already. */
  #drop(db: IDBDatabase): void {
    db.close();
    if (db === this.connection) this.connection = this.#opening = undefined;
  }
}

/** What the first request of a transaction found, if its turn comes. */
export function answered<T>(request: IDBRequest<T>): Promise<T> {
  return soon(result(request), PATIENCE_IN_LINE, "it does not answer");
}

function soon<T>(promise: Promise<T>, patience: number, words: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failed(words)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** What a request found. */
export function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function isFull(error: unknown): boolean {
  return isCalled(error, "QuotaExceededError");
}

function isCalled(error: unknown, name: string): boolean {
  return (error as Error | undefined)?.name === name;
}

function understood(error: Error): RhtmxError {
  if (error instanceof RhtmxError) return error;
  if (!isFull(error)) return failed(error?.message);
  return new RhtmxError("storage_full", "no space left: nothing was written");
}

function failed(why: string): RhtmxError {
  return new RhtmxError("storage_failed", `${FAILED}: ${why}`);
}
