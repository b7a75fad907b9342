/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The records of one entity, as an application uses them.
 *
 * Knows calls and callbacks. Must not know how anything is kept or sent.
 */

import type { Fields, PatchOptions, Said, WriteOptions } from "../core/build-message.ts";
import { logOf } from "../core/conflict.ts";
import type { HistoryOptions, RecordCommit, RecordHistory } from "../core/history.ts";
import { commitsOf, historyOf, notKept, undoing } from "../core/history.ts";
import type { OperationOn } from "../core/operations.ts";
import type { CollectionOptions, OpenConflict, Stop } from "../core/options.ts";
import type { Row } from "../core/overlay.ts";
import { checkedName, nameInWords } from "../core/part.ts";
import type { Progress } from "../core/progress.ts";
import { filtering } from "../core/row-list.ts";
import type { State } from "../core/tab-messages.ts";
import { RhtmxError } from "../errors.ts";
import type * as m from "../messages/types.ts";
import type { Tab } from "../runtime/tab.ts";
import { OpenConflicts } from "./open-conflicts.ts";

/** Some fields of a record: their values, or operations that fit them. */
export type Patch<T> = { readonly [K in keyof T]?: T[K] | OperationOn<T[K]> };

/** How to listen to a collection. */
export interface SubscribeOptions<T> {
  /**
   * Only these rows, and only when one of them changed. It is asked about a row once, until that
   * changes: what it says may depend on nothing else.
   */
  readonly where?: ((row: Row<T>) => boolean) | undefined;
  /** Stops it when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Where there is none yet (WebKit), the one that compilers put in its place: TypeScript, esbuild. */
const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

/**
 * The records of one entity: read, kept, and shown with own writes at once. Made by
 * `Client.collection`. `close` it when it is not read any more, or declare it with `using`.
 *
 * @example
 * const tasks = client.collection<Task>("tasks");
 * tasks.subscribe((rows) => render(rows));
 * await tasks.patch("1", { done: true });
 */
export class Collection<T = m.JsonValue> {
  /** The name of the entity. */
  readonly entity: string;
  /** The version of the application's schema under which it writes; the client's, if it is none. */
  schemaVersion?: number | undefined;
  /** What the store has of it is loaded. */
  readonly ready: Promise<void>;
  /** Which part of it this is; see `part.ts`. */
  readonly #name: string;
  readonly #tab: Tab;
  readonly #forget: Stop;
  /** What ends with it. */
  readonly #stops = new Set<Stop>();
  readonly #where: CollectionOptions["where"];
  #conflicts: OpenConflicts | undefined;
  #synced!: Promise<void>;
  #isClosed = false;

  /**
   * @internal `Client.collection` makes it.
   * @param forget called when it is closed.
   */
  constructor(tab: Tab, entity: string, options: CollectionOptions = {}, forget: Stop = () => {}) {
    this.#tab = tab;
    this.#forget = forget;
    this.entity = entity;
    this.#where = options.where;
    this.#name = checkedName(entity, options.where);
    this.ready = tab.ready;
    this.#wait();
    try {
      tab.open(this.#name, options.granularity === "fields");
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /**
   * It has caught up with the server once; the same promise each time. It rejects if the
   * server does not let it (there are too many, there is none of that name), and if the
   * collection or the client is closed before. A rejected one is tried again as soon as that
   * may help; once it has caught up after all, this is a promise that has resolved.
   */
  get synced(): Promise<void> {
    return this.#synced;
  }

  /**
   * How far a long load is; undefined: none is under way, as far as the server has said. It moves
   * on with what `subscribe` tells. While several parts are read, it stays at the beginning.
   */
  get progress(): Progress | undefined {
    return this.#tab.progressOf(this.#name);
  }

  #wait(): void {
    let rejection: unknown;
    this.#synced = new Promise((resolve, reject) => {
      const refuse = (error: RhtmxError) => reject((rejection = error));
      this.#on(`rejected ${this.#name}`, refuse);
      this.#on(`synced ${this.#name}`, () => {
        if (rejection) this.#synced = Promise.resolve();
        rejection = undefined;
        resolve();
      });
      this.#on("state", (state: State, error?: RhtmxError) => {
        if (state === "closed") refuse(error!);
      });
      this.#until(() => refuse(closed(`'${nameInWords(this.#name)}'`)));
      if (this.#tab.connection === "closed") refuse(this.#tab.lacks ?? closed("the client"));
    });
    // Who does not wait for it gets it by `onError`: that is no uncaught error.
    this.#synced.catch(() => {});
  }

  /**
   * All rows, by id; the same array as long as nothing changed; none before it is loaded. Of
   * thousands it is made once somebody looks into it: what clones it in the engine, as
   * `structuredClone` and `postMessage` do, takes a copy, `[...rows]`.
   */
  get snapshot(): readonly Row<T>[] {
    return this.#tab.rows(this.#name) as readonly Row<T>[];
  }

  /** One row; the same object as long as nothing about it changed. */
  row(id: string): Row<T> | undefined {
    return this.#tab.row(this.#name, id) as Row<T> | undefined;
  }

  /** One row, once it is loaded. */
  async get(id: string): Promise<Row<T> | undefined> {
    await this.ready;
    return this.row(id);
  }

  /** All rows, once they are loaded. */
  async all(): Promise<readonly Row<T>[]> {
    await this.ready;
    return this.snapshot;
  }

  /** Some rows, once they are loaded. */
  async where(test: (row: Row<T>) => boolean): Promise<readonly Row<T>[]> {
    return (await this.all()).filter(test);
  }

  /**
   * Writes a whole record. Shown at once; resolves when it is durable on the server.
   *
   * @throws RhtmxError `conflict`: the record has moved on since `baseVersion`; `bad_message`:
   *   the data is no JSON; or another reason.
   *
   * @example
   * await tasks.set("3", { title: "Read it" });
   * tasks.row("3")?.data; // { title: "Read it" }
   */
  set(id: string, data: T, options: WriteOptions = {}): Promise<m.PushAck> {
    return this.#write(id, { action: "update", data: data as m.JsonValue, options });
  }

  /**
   * Writes some fields of a record, or says what to do with them: `inc(1)`, `add("urgent")`.
   * Shown at once; resolves when they are durable.
   *
   * @throws RhtmxError: it was rejected.
   *
   * @example
   * await tasks.patch("1", { done: true });
   * tasks.row("1")?.data.done; // true
   */
  patch(id: string, fields: Patch<T>, options: PatchOptions = {}): Promise<m.FieldPushAck> {
    return this.#write(id, { values: fields as Fields, options, seen: true });
  }

  /** @internal Writes a whole record in the place of what is shown of it. */
  protected replace(id: string, data: T): Promise<m.PushAck> {
    return this.#write(id, {
      action: "update",
      data: data as m.JsonValue,
      options: {},
      seen: true,
    });
  }

  /** Deletes a record. Gone at once; resolves when that is durable. */
  delete(id: string, options: WriteOptions = {}): Promise<m.PushAck> {
    return this.#write(id, { action: "delete", data: null, options });
  }

  #write<M extends m.ServerMessage>(entityId: string, said: Said): Promise<M> {
    const { entity, schemaVersion } = this;
    return this.#tab.write({ entity, entityId, schemaVersion, ...said });
  }

  /**
   * Calls `listener` with the rows once they are loaded, and after each change.
   *
   * @param listener is given, beside the rows, whether it is called for a write of this tab,
   *   which has to show before anything else happens.
   *
   * @example
   * const stop = tasks.subscribe((rows) => console.log(rows.length), { where: isOpen });
   * stop();
   */
  subscribe(
    listener: (rows: readonly Row<T>[], own: boolean) => void,
    options: SubscribeOptions<T> = {},
  ): Stop {
    const { where, signal } = options;
    const filter = filtering(where);
    let last: readonly Row<T>[] | undefined;
    let stopped = signal?.aborted;
    this.#tab.expect();
    const show = (own = false) => {
      if (stopped) return;
      const rows = filter(this.snapshot);
      if (rows === last) return;
      last = rows;
      listener(rows, own);
    };
    const stop = this.#on(`rows ${this.entity}`, show, () => (stopped = true));
    signal?.addEventListener("abort", stop);
    if (stopped) stop();
    void this.ready.then(() => show());
    return stop;
  }

  /** Calls `listener` with each change from now on; see `Client.changes`. */
  changes(listener: (change: m.ChangeLog | null) => void): Stop {
    this.#check();
    return this.#until(this.#tab.changes(this.#name, listener));
  }

  /**
   * The conflicts of these records that nobody has answered: kept, live, and the same for all who
   * may update the record. They are read from the first time that this is asked for until the
   * collection is closed.
   *
   * @throws RhtmxError `closed`: the collection was closed.
   *
   * @example
   * tasks.conflicts.subscribe((open) => {
   *   for (const { id, field, lost } of open) console.log(id, field, lost.value);
   * });
   */
  get conflicts(): OpenConflicts {
    this.#check();
    if (this.#conflicts) return this.#conflicts;
    const log = new Collection<never>(this.#tab, logOf(this.entity), { where: this.#where });
    this.#until(() => log.close());
    return (this.#conflicts = new OpenConflicts(this.#tab, this.entity, log));
  }

  /**
   * The commits of a record, the newest first, as far as they are kept. Asks the server.
   *
   * @throws RhtmxError `not_found`: there is no such record; or another reason.
   *
   * @example
   * const { commits } = await tasks.history("1", { limit: 10 });
   * for (const { version, changed, subject } of commits) console.log(version, changed, subject);
   */
  async history(id: string, options: HistoryOptions = {}): Promise<RecordHistory<T>> {
    return commitsOf(await this.#tab.ask(historyOf(this.entity, id, options)));
  }

  /**
   * Who wrote which field of a record, and when. Asks the server.
   *
   * @example
   * const { title } = await tasks.blame("1");
   * title?.client_id;
   */
  async blame(id: string): Promise<Readonly<Record<string, m.FieldAuthor | undefined>>> {
    const question = { type: "blame", entity: this.entity, entity_id: id } as const;
    const { fields } = await this.#tab.ask<m.BlameResult>(question);
    return Object.fromEntries(fields.map((each) => [each.field, each]));
  }

  /**
   * A record as it was at a time: the commit that was its last one then; undefined if there was
   * no such record. Asks the server.
   *
   * @param time a text is one that the server has told.
   * @throws RhtmxError `not_found`: what it was then is not kept any more.
   *
   * @example
   * const [first] = (await tasks.history("1")).commits;
   * const then = await tasks.asOf("1", first!.created_at);
   * then?.version === first!.version; // true
   */
  async asOf(id: string, time: Date | string): Promise<RecordCommit<T> | undefined> {
    const { commits, complete } = await this.history(id, { until: time, limit: 1 });
    const [commit] = commits;
    if (!commit && !complete) throw notKept(this.entity, id, `at ${time}`);
    return commit?.action === "delete" ? undefined : commit;
  }

  /**
   * Writes back what a commit of a record replaced, if nothing has been written to that since: of
   * a record with fields, those that it changed. What it created is deleted. Resolves when that
   * is durable.
   *
   * @param version the commit, as `history` and `blame` have it.
   * @throws RhtmxError `conflict`: something came after; `not_found`: what was before is not kept
   *   any more; or another reason.
   *
   * @example
   * await tasks.patch("1", { title: "Write it up" });
   * const { title } = await tasks.blame("1");
   * await tasks.undo("1", title!.version);
   */
  async undo(id: string, version: number): Promise<m.PushAck | m.FieldPushAck> {
    const history = await this.history(id, { before: version + 1, limit: 2 });
    return this.#tab.write(undoing(this.entity, id, version, history as RecordHistory));
  }

  /** Calls `listener` with each conflict of this collection. */
  onConflict(listener: (conflict: OpenConflict) => void): Stop {
    return this.#on("conflict", (conflict: OpenConflict) => {
      if (conflict.entity === this.entity) listener(conflict);
    });
  }

  /**
   * Each new snapshot; a slow reader skips. Ends with the signal, the collection or the
   * client, at once where that is over already; rejects if the server ends the client.
   *
   * @example
   * for await (const rows of tasks.rows({ where: isOpen })) {
   *   console.log(rows.length);
   *   break; // or read on for ever
   * }
   */
  async *rows(options: SubscribeOptions<T> = {}): AsyncGenerator<readonly Row<T>[], void> {
    let next: readonly Row<T>[] | undefined;
    let wake = () => {};
    let why: RhtmxError | undefined;
    let ended = options.signal?.aborted || this.#tab.connection === "closed";
    const end = () => {
      ended = true;
      wake();
    };
    const become = (state: State, error?: RhtmxError) => {
      if (state !== "closed" || ended) return;
      why = error;
      end();
    };
    const listen = (rows: readonly Row<T>[]) => {
      next = rows;
      wake();
    };
    const stops = [
      this.subscribe(listen, options),
      this.#on("closed", end, end),
      this.#on("state", become),
    ];
    options.signal?.addEventListener("abort", end);
    try {
      while (!ended) {
        const rows = next;
        next = undefined;
        if (rows) yield rows;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      for (const stop of stops) stop();
    }
    if (why) throw why;
  }

  /** Each new snapshot; see `rows`. */
  [Symbol.asyncIterator](): AsyncGenerator<readonly Row<T>[], void> {
    return this.rows();
  }

  /**
   * Reads it no longer, for all in this page who have it: what listens ends, and the server
   * is told once nobody in any tab reads it. What is held stays, and is where the next
   * `client.collection` of that name goes on, at either granularity. What was written is
   * still sent.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#forget();
    this.#end();
    this.#tab.shut(this.#name);
  }

  /** The same as `close`: `using tasks = client.collection("tasks")`. */
  [dispose](): void {
    this.close();
  }

  #end(): void {
    for (const stop of [...this.#stops]) stop();
  }

  /** Listens as long as it is open; `ended` is called when that is over. */
  #on(name: string, listener: (...args: never[]) => void, ended?: Stop): Stop {
    this.#check();
    const off = this.#tab.on(name, listener);
    return this.#until(() => {
      off();
      ended?.();
    });
  }

  #check(): void {
    if (this.#isClosed) throw closed(`'${nameInWords(this.#name)}'`);
  }

  /** Has something end with it. */
  #until(stop: Stop): Stop {
    const once = () => {
      if (this.#stops.delete(once)) stop();
    };
    this.#stops.add(once);
    return once;
  }
}

function closed(what: string): RhtmxError {
  return new RhtmxError("closed", `${what} was closed: nothing more comes of it; ask for it anew`);
}
