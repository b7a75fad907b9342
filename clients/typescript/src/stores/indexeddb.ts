/**
 * The store of a browser, in IndexedDB.
 *
 * Knows when a transaction begins, and what is in it. Must not know what lies in the
 * tables, nor how a database is opened. Transactions over the same tables run in the order in
 * which they were begun, in all tabs: that is what gives each write a number of its own.
 *
 * Nothing has to be read before a write is put: its transaction is begun with the call and
 * told to commit before the turn of the event loop ends, and the browser completes it
 * though the page is closed. (Measured in Chromium 156: a write that read its number first
 * was lost by 4 of 20 pages that were closed at once.) What is begun in the last moment of a
 * page may be lost all the same, so it lies in the `Journal` as well, as does what is
 * written before the database is open. What comes together is put together: all writes of
 * one turn, and all that come while those before are being stored. If that fails, each is tried
 * alone, so that one that is too large takes none with it.
 *
 * A write, its end and its number are on the disk before the call returns
 * (`durability: "strict"`): they must not come back, or go, with the power. What
 * the server can tell again is left to the browser's own time.
 *
 * The bare interface is used: what is written needs no promise of its own, the
 * transaction has one, and a library would be a tenth of the whole client.
 */

import type { Op, State, Store, Write } from "../core/storage-ops.ts";
import { applyAll, RETELLABLE, stateOf } from "../core/storage-ops.ts";
import type { RhtmxError } from "../errors.ts";
import type { Table } from "./database.ts";
import { answered, Database, Replaced, result } from "./database.ts";
import { appliedAll, bare, put, read, TABLES, upgrade, WRITE_TABLES } from "./indexeddb-tables.ts";
import type { Entry } from "./journal.ts";
import { Journal } from "./journal.ts";
import { SEGMENTS, Segments, slices } from "./segments.ts";

/** Milliseconds after which segments are compacted that could not be: it reads all of them. */
const COMPACT_AGAIN = 60_000;
/** Milliseconds that a page may run after it has said that it goes. */
const AWAY = 5_000;

/** A write that is being stored, and who waits for its number. */
interface Added {
  readonly write: Write;
  readonly instead: string;
  readonly resolve: (seq: number) => void;
  readonly reject: (error: unknown) => void;
  /** How often the database had been taken away before. */
  readonly takes: number;
  key?: IDBRequest<IDBValidKey> | undefined;
}

/** What a client keeps, in a database of the browser. */
export class IndexedStore implements Store {
  onlost?: (error: RhtmxError) => void;
  readonly #database: Database;
  readonly #journal: Journal;
  readonly #clientId: string | undefined;
  readonly #secret: string | undefined;
  readonly #makeId: () => string;
  readonly #memory: State;
  readonly #segments = new Segments();
  /** Segments are being compacted, or that has failed and is tried again later. */
  #compacts = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #life = new AbortController();
  /** Everything that is being stored. */
  readonly #adding = new Set<Added>();
  /** Writes that wait until those before them are stored. */
  #line: Added[] = [];
  /** What could not be stored, unless it is: the database was taken away meanwhile. */
  readonly #doubtful = new Set<string>();
  /** The page may end any time. */
  #leaves = false;
  #away: ReturnType<typeof setTimeout> | undefined;
  /** Puts a write into the transaction of this turn. */
  #put: ((added: Added) => void) | undefined;
  /** How many transactions are storing writes. */
  #busy = 0;

  /**
   * @param name of the database.
   * @param makeId makes the client's id, the first time.
   * @param clientId the client's id, if the application gives one.
   * @param secret what gives it the right to that, if the application gives it.
   * @param memory what is known of its records, about: how many there are.
   */
  constructor(
    name: string,
    makeId: () => string,
    clientId?: string,
    secret?: string,
    memory = stateOf(),
  ) {
    this.#database = new Database({ name, version: 6, tables: TABLES, upgrade });
    this.#database.onlost = (error) => this.onlost?.(error);
    this.#journal = new Journal(name);
    this.#makeId = makeId;
    this.#clientId = clientId;
    this.#secret = secret;
    this.#memory = memory;
    const { signal } = this.#life;
    const on = (names: string[], act: () => void) =>
      names.forEach((name) => globalThis.addEventListener?.(name, act, { capture: true, signal }));
    const back = () => {
      clearTimeout(this.#away);
      this.#leaves = false;
      this.#database.wake();
    };
    on(["pagehide", "freeze"], () => {
      this.#database.sleep();
      this.#leave();
      // Whoever runs is not away, though nothing said that it is back.
      clearTimeout(this.#away);
      this.#away = setTimeout(back, AWAY);
    });
    on(["pageshow", "resume"], back);
  }

  /** @param merge what else to store, given what is there; then another database will do, too. */
  async load(merge?: (found: State) => Op[]): Promise<State> {
    const database = this.#database;
    if (merge) database.isSame = undefined;
    const journal = this.#journal;
    const state = await this.#read(() => journal.take(), merge).catch((error: RhtmxError) => {
      journal.leave();
      if (error.code !== "storage_full") throw error;
      // What others left has to wait for room; what is there has not.
      return this.#read(() => [], merge);
    });
    journal.dropTaken();
    const { client_id } = state.meta;
    database.isSame = async (table) => {
      const found = await result(table("meta").get("client_id"));
      // It may have got another one since.
      return found === client_id || found === this.#memory.meta.client_id;
    };
    for (const { places } of state.entities.values())
      for (const each of places) this.#segments.placed(...each);
    this.#compact(state);
    return state;
  }

  /** @param take finds what other pages left. */
  #read(take: () => readonly Entry[], merge: ((found: State) => Op[]) | undefined): Promise<State> {
    return this.#database.run(false, async (table, isAgain) => {
      await answered(table("meta").get("client_id"));
      // Not before: what is found here, and not there, was never there.
      for (const [write, instead] of take()) await put(table, write, instead);
      const found = await read(table, this.#segments);
      const { meta } = found;
      const before = { ...meta };
      const id = this.#clientId ?? (meta.client_id || this.#makeId());
      // The secret of another id is of no use to this one. A new one is made here, not taken from
      // the server: each tab knows it before any of them binds the id to it.
      const secret = this.#secret ?? ((meta.client_id === id && meta.secret) || this.#makeId());
      Object.assign(meta, { client_id: id, secret });
      // A full disk can still be read.
      if (before.client_id !== id) table("meta").put(id, "client_id");
      if (before.secret !== secret) table("meta").put(secret, "secret");
      const more = merge?.(found) ?? [];
      await appliedAll(table, this.#segments, more, isAgain);
      applyAll(found, more);
      return found;
    });
  }

  /** The id of whose database it is, once it works; empty for none yet. */
  async probe(): Promise<string> {
    this.#database.isSame = undefined;
    const read = async (table: Table) => (await answered(table("meta").get("client_id"))) ?? "";
    return this.#database.run(false, read);
  }

  /** It must not be used any more. */
  refuse(why: string): void {
    this.#database.refuse(why);
  }

  /** Keeps a write for the next page until it is added; there is no database yet. */
  hold(write: Write, instead: string): void {
    this.#journal.hold(write, instead);
  }

  /** Lets go of a write that will not be added; false if another page has found it, and stores it. */
  release(id: string): boolean {
    return this.#journal.release(id);
  }

  /** Whether a write that could not be added may be there all the same. */
  isInDoubt(id: string): boolean {
    const isOpen = this.#doubtful.has(id) || this.#journal.isCleared(id);
    return isOpen && !this.#database.isGone;
  }

  add(write: Write, instead = ""): Promise<number> {
    if (this.#journal.isTaken(write.id)) return Promise.resolve(0);
    // It is there already: whether it has this number still has to be read first.
    if (write.seq) return this.#putAll([{ write, instead }]).then(([seq]) => seq!);
    return new Promise((resolve, reject) => {
      const { takes } = this.#database;
      const added = { write, instead, takes, resolve, reject };
      this.#adding.add(added);
      this.#line.push(added);
      if (this.#leaves) this.#leave();
      this.#flush();
    });
  }

  async apply(ops: readonly Op[], leader?: string): Promise<boolean> {
    const strict = ops.some(([name]) => !RETELLABLE.has(name));
    const applied = await this.#database.run(strict, async (table, isAgain) => {
      if (leader && (await result(table("meta").get("leader"))) !== leader) return false;
      await appliedAll(table, this.#segments, ops, isAgain);
      return true;
    });
    if (!applied) return false;
    for (const op of ops) if (op[0] === "place") this.#segments.placed(op[1], op[2]);
    this.#compact();
    return true;
  }

  close(): void {
    this.#life.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#away);
    this.#leave();
    this.#database.close();
  }

  /** Not every browser completes what was begun in the last moment of a page. */
  #leave(): void {
    this.#leaves = true;
    for (const { write, instead } of this.#adding) this.hold(write, instead);
    this.#flush(true);
  }

  /** Changes nothing of what is kept: whoever leads, and however it ends. */
  #compact({ entities } = this.#memory): void {
    const records = [...entities.values()].reduce((sum, each) => sum + each.records.size, 0);
    if (this.#compacts || !this.#segments.isDue(records)) return;
    this.#compacts = true;
    this.#database
      .run(false, (table, again) => this.#segments.compact(table, records, again), [SEGMENTS])
      .then(
        (done) => {
          done();
          this.#compacts = false;
          this.#compact(); // more may have gone meanwhile
        },
        // Full, as a rule: it goes on with all that is there.
        () => this.#compactLater(),
      );
  }

  #compactLater(): void {
    if (this.#life.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#compacts = false;
      this.#compact();
    }, COMPACT_AGAIN);
  }

  #added(added: Added, seq: number): void {
    this.#adding.delete(added);
    this.#doubtful.delete(added.write.id);
    this.#journal.drop(added.write.id);
    added.resolve(seq);
  }

  /** Stores what waits, in the transaction of this turn; `now`: a new one may be begun. */
  #flush(now = !this.#busy): void {
    if (!this.#line.length || !(this.#put || now)) return;
    if (!this.#put) this.#begin();
    for (const each of this.#line.splice(0)) this.#put!(each);
  }

  /** Begins a transaction: what comes in this turn of the event loop is put at once, then it commits. */
  #begin(): void {
    const batch: Added[] = [];
    const database = this.#database;
    let tables: Table | undefined;
    let failure: unknown;
    this.#busy += 1;
    this.#put = (each) => {
      batch.push(each);
      try {
        each.key = tables?.("queue").put(bare(each.write));
        tables?.("rejected").delete(each.instead);
      } catch (error) {
        failure ??= error;
      }
    };
    const turn = Promise.resolve().then(() => (this.#put = undefined));
    const fill = async (table: Table, transaction: IDBTransaction) => {
      tables = table;
      const shift = table("meta").get("shift");
      await turn;
      if (failure) throw failure;
      transaction.commit?.();
      return (await result(shift)) ?? 0;
    };
    const stored = database.connection
      ? database.transact(database.connection, true, fill, WRITE_TABLES)
      : turn.then(() => Promise.reject());
    void stored
      .then(
        (shift) => batch.forEach((each) => this.#added(each, (each.key!.result as number) + shift)),
        () => this.#again(batch),
      )
      .then(() => {
        this.#busy -= 1;
        this.#flush();
      });
  }

  #putAll(all: readonly Pick<Added, "write" | "instead">[]): Promise<number[]> {
    const act = async (table: Table) => {
      const seqs: number[] = [];
      for (const { write, instead } of all) {
        // Another page may have found it meanwhile, while this one was away.
        const isTaken = this.#journal.isTaken(write.id);
        seqs.push(isTaken ? 0 : await put(table, write, instead));
      }
      return seqs;
    };
    return this.#database.run(true, act, WRITE_TABLES);
  }

  /**
   * Tries what could not be stored once more: together, and where there is no room for that in halves.
   *
   * @returns why nothing can be stored, if so.
   */
  async #again(batch: readonly Added[]): Promise<RhtmxError | undefined> {
    const failure = await this.#putAll(batch).then(
      (seqs) => batch.forEach((each, at) => this.#added(each, seqs[at]!)),
      (error: RhtmxError) => error,
    );
    if (!failure) return undefined;
    const isFull = failure.code === "storage_full";
    if (batch.length > 1)
      return this.#inTurn(slices(batch, isFull ? Math.ceil(batch.length / 2) : 1));
    this.#reject(batch, failure);
    return isFull ? undefined : failure;
  }

  async #inTurn(parts: readonly Added[][]): Promise<RhtmxError | undefined> {
    let lost: RhtmxError | undefined;
    for (const each of parts) {
      if (lost) this.#reject(each, lost);
      else lost = await this.#again(each);
    }
    return lost;
  }

  #reject(all: readonly Added[], error: RhtmxError): void {
    for (const each of all) {
      this.#adding.delete(each);
      const isGone = error instanceof Replaced;
      if (each.takes !== this.#database.takes && !isGone) this.#doubtful.add(each.write.id);
      const isRefused = error.code !== "storage_full" || this.#journal.release(each.write.id);
      if (isRefused) each.reject(error);
      // Another page has found it, and stores it.
      else each.resolve(0);
    }
  }
}
