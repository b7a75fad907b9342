/**
 * The process of a browser that keeps its databases, for the tabs of `browser.ts`: it has its own
 * time, fails in all ways that browsers do, and goes on when a tab does not.
 *
 * What it does is fake-indexeddb's work. A tab hears of it in tasks of its own: one that hangs or is
 * put aside hears it later, one that is gone never. A transaction that waits for its tab's next
 * request makes no step while that tab does not run; one that was told to commit does.
 */
import { IDBFactory } from "fake-indexeddb";
import { vi } from "vitest";

import type { Browser, Page } from "./browser.ts";

/** What goes wrong at the next opportunity, and under which name the browser tells it. */
export type Fault = "begin" | "request" | "commit" | "open" | "hold";

/** What fake-indexeddb has in it. */
interface Inner {
  readonly _databases: Map<string, { readonly connections: Connection[] }>;
}
interface Connection extends IDBDatabase {
  _closePending: boolean;
  readonly _rawDatabase: {
    connections: Connection[];
    readonly transactions: readonly Transaction[];
    processTransactions(): void;
  };
}
interface Transaction extends Omit<IDBTransaction, "db"> {
  readonly db: Connection;
  _state: "active" | "inactive" | "committing" | "finished";
  _started: boolean;
  readonly _requests: { operation: () => unknown; readonly request: IDBRequest }[];
  readonly _prioritizedListeners: Map<string, () => void>;
  _start(): void;
  _abort(name: string | null): void;
}
interface Target {
  readonly db?: Connection;
  /** A function, of a connection. */
  readonly transaction?: unknown;
  readonly result?: unknown;
  readonly _prioritizedListeners?: Map<string, () => void>;
}
type Dispatch = (this: object, event: Event) => boolean;

const targets = Object.getPrototypeOf(IDBDatabase.prototype) as { dispatchEvent: Dispatch };
const transactions = IDBTransaction.prototype as unknown as Transaction;
const { dispatchEvent } = targets;
const { _start: start } = transactions;
const { transaction: begin } = IDBDatabase.prototype;
const { put } = IDBObjectStore.prototype;

/** See the head of the file. Takes the place of what is global until `vi.restoreAllMocks`. */
export class Databases {
  /** Nothing more can be put. */
  full = false;
  readonly #browser: Browser;
  readonly #process: Page;
  readonly #factory = new IDBFactory();
  /** Whose a connection, or the request that makes it, is. */
  readonly #pages = new WeakMap<object, Page>();
  /** What nobody hears of any more. */
  readonly #silent = new WeakSet<object>();
  readonly #faults: { readonly fault: Fault; readonly name: string; after: number }[] = [];
  /** Openings that the browser does not come to. */
  readonly #held: (() => void)[] = [];

  constructor(browser: Browser) {
    this.#browser = browser;
    this.#process = browser.open();
    let captured: ((task: () => void) => void) | undefined;
    vi.stubGlobal("setImmediate", (task: () => void) =>
      captured ? captured(task) : this.#process.do("disk", task),
    );
    vi.stubGlobal("indexedDB", {
      open: (name: string, version: number) => {
        const fault = this.#due("open") ?? this.#due("hold");
        const page = browser.current!;
        captured = (task) => {
          if (fault?.fault === "hold") this.#held.push(task);
          else this.#process.do("disk", fault ? () => this.#refuse(request, fault.name) : task);
        };
        const request = this.#factory.open(name, version);
        captured = undefined;
        this.#pages.set(request, page);
        return request;
      },
    });
    const self = this;
    vi.spyOn(targets, "dispatchEvent").mockImplementation(function (this: object, event) {
      return self.#dispatch(this as Target, event);
    });
    vi.spyOn(transactions, "_start").mockImplementation(function (this: Transaction) {
      self.#start(this);
    });
    vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(function (
      this: IDBDatabase,
      tables,
      ...how
    ) {
      const fault = how[0] === "readwrite" && self.#due("begin");
      if (fault) throw new DOMException("the connection is closing", fault.name);
      return begin.call(this, tables, ...how);
    });
    vi.spyOn(IDBDatabase.prototype, "close").mockImplementation(function (this: IDBDatabase) {
      close(this as Connection);
    });
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (
      this: IDBObjectStore,
      ...what
    ) {
      const request = put.apply(this, what);
      if (self.full) fail((this.transaction as never as Transaction)._requests.at(-1)!, QUOTA);
      return request;
    });
  }

  /** The next of its kind fails, or the one after so many. */
  fail(fault: Fault, name: string, after = 0): void {
    this.#faults.push({ fault, name, after });
  }

  /** Everything works again. */
  mend(): void {
    this.full = false;
    this.#faults.length = 0;
    for (const task of this.#held.splice(0)) this.#process.do("disk", task);
  }

  /** The connections of a tab, or all, are closed by force; what is on the disk stays. */
  async take(whose?: Page): Promise<void> {
    // One that is being made has an owner as soon as its tab is told.
    while (this.#connections.some((each) => !this.#pages.has(each)))
      await this.#browser.in(this.#process, () => this.#process.step());
    for (const db of this.#connections) {
      const page = this.#pages.get(db)!;
      if (whose && page !== whose) continue;
      this.#end(db, "AbortError", (transaction) => this.#silent.add(transaction));
      const close = new IDBVersionChangeEvent("close");
      const tell = () => page.do("database", () => dispatchEvent.call(db, close));
      // Before what it hears of its transactions, or after.
      if (this.#browser.pick(2)) tell();
      else this.#process.do("disk", tell);
    }
  }

  /** The user clears all data of the site. */
  async wipe(): Promise<void> {
    await this.take();
    this.#inner._databases.clear();
  }

  /**
   * A page deletes the database. All tabs have to run, or the browser would end them.
   *
   * @returns those that had it open.
   */
  async delete(): Promise<Page[]> {
    // One that was about to open it has it first.
    await this.#browser.settle();
    const all = this.#connections;
    for (const db of all) {
      const asked = new IDBVersionChangeEvent("versionchange", { newVersion: null });
      this.#pages.get(db)!.do("database", () => dispatchEvent.call(db, asked));
    }
    await this.#browser.settle();
    if (this.#connections.length) throw new Error("a tab does not let go of its database");
    this.#inner._databases.clear();
    return all.map((each) => this.#pages.get(each)!);
  }

  /** A tab is gone: what it told to commit is on the disk, or not. */
  ended(page: Page): void {
    for (const db of this.#connections) if (this.#pages.get(db) === page) this.#end(db, null);
  }

  get #inner(): Inner {
    return this.#factory as unknown as Inner;
  }

  get #connections(): Connection[] {
    return [...this.#inner._databases.values()].flatMap(({ connections }) => connections);
  }

  #due(wanted: Fault): { fault: Fault; name: string } | undefined {
    const at = this.#faults.findIndex(({ fault }) => fault === wanted);
    const found = this.#faults[at];
    if (!found || found.after-- > 0) return undefined;
    return this.#faults.splice(at, 1)[0];
  }

  #refuse(request: IDBOpenDBRequest, name: string): void {
    Object.assign(request, { readyState: "done", error: new DOMException("it fails", name) });
    targets.dispatchEvent.call(request, new IDBVersionChangeEvent("error"));
  }

  /** Ends a connection, and its transactions. */
  #end(db: Connection, why: string | null, commits = (_: Transaction) => {}): void {
    for (const each of [...db._rawDatabase.transactions]) {
      if (each.db !== db || each._state === "finished") continue;
      if (each._state !== "committing") each._abort(why);
      else {
        commits(each);
        const isKept = each._started && this.#browser.pick(2) > 0;
        if (!isKept) each._abort(null);
        while ((each._state as string) !== "finished") start.call(each);
      }
    }
    close(db);
  }

  /** Tells a tab something: at once, if it is doing that very thing. */
  #dispatch(target: Target, event: Event): boolean {
    const transaction = target.transaction as Transaction | null | undefined;
    const of = target.db ?? transaction?.db ?? target;
    const page = this.#pages.get(target) ?? this.#pages.get(of);
    if (!page) return dispatchEvent.call(target, event);
    if (this.#pages.has(target) && target.result) {
      this.#pages.set(target.result, page);
      if (page.gone && event.type === "success") close(target.result as Connection);
    }
    if (this.#browser.current === page) return dispatchEvent.call(target, event);
    // Others wait for its end, whether its tab hears of that or not.
    const { type } = event;
    const inner = target._prioritizedListeners?.get(type);
    target._prioritizedListeners?.delete(type);
    inner?.();
    if (type === "complete" || type === "abort") target.db!._rawDatabase.processTransactions();
    if (this.#silent.has(target) || (transaction && this.#silent.has(transaction))) return true;
    page.do("database", () => {
      if (type === "upgradeneeded") {
        // It has been aborted meanwhile: its end is all that is told.
        if (transaction!._state === "finished") return;
        transaction!._state = "active";
      }
      dispatchEvent.call(target, event);
    });
    return true;
  }

  /** The next step of a transaction. */
  #start(transaction: Transaction): void {
    const page = this.#pages.get(transaction.db)!;
    transaction._started = true;
    if (transaction._state === "committing") this.#step(transaction);
    else if (page.gone) transaction._abort(null);
    else page.do("database", () => this.#step(transaction));
  }

  #step(transaction: Transaction): void {
    if (transaction._state === "finished") return;
    const next = transaction._requests.find(({ request }) => request.readyState !== "done");
    if (!next && transaction._state !== "committing") {
      // Nothing more is asked: it commits by itself.
      transaction._state = "committing";
      return this.#process.do("disk", () => transaction._start());
    }
    // An index is made by a request that is nobody's.
    const fault =
      next?.request.source === null ? undefined : this.#due(next ? "request" : "commit");
    if (fault && !next) return transaction._abort(fault.name);
    if (fault) fail(next!, fault.name);
    start.call(transaction);
  }
}

/** It does no more: fake-indexeddb would look again and again for the end of its transactions. */
function close(db: Connection): void {
  db._closePending = true;
  const all = db._rawDatabase.connections;
  db._rawDatabase.connections = all.filter((each) => each !== db);
}

const QUOTA = "QuotaExceededError";

function fail(next: Transaction["_requests"][number], name: string): void {
  next.operation = () => {
    throw new DOMException("it fails", name);
  };
}
