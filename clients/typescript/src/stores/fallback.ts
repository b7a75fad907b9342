/**
 * A store that goes on in memory when the browser's fails, and back when that works again.
 *
 * Knows when numbers may be given, and by whom. Must not know tables or pages.
 * Whoever cannot reach the store must not number under its id: another tab, or the next
 * page, gives the same numbers there, and one of two writes under one number is lost. So
 * such a tab becomes a client of its own, with an id of its own.
 *
 * | state       | where it keeps | who numbers              | what comes next                                      |
 * | ----------- | -------------- | ------------------------ | ---------------------------------------------------- |
 * | `stored`    | on the disk    | the disk, under its id   | the disk fails: `leaving`                            |
 * | `leaving`   | in memory      | the disk, what it was    | all that waits is parked: `own`;                     |
 * |             |                | asked for before         | the same disk works: `stored`; another: `returning`  |
 * | `own`       | in memory      | memory, under an own id  | the disk works: `returning`                          |
 * | `returning` | in memory      | nobody                   | all that waits is parked: `stored`;                  |
 * |             |                |                          | the disk fails after all: `own`                      |
 *
 * A write that waits has a number that has no answer, or the disk may still give it one, or it is
 * parked: nobody numbers it for now. Who a tab is changes only while all are parked. What has a
 * number is sent by whoever knows it, this tab too: the server takes it once. `own` gives a number
 * only while there is a connection, so that what was never sent is never bound to an id; and none
 * to a write that may be on the disk, where whoever reaches that finds it.
 *
 * What memory holds by then is written into the store with the return: records that are
 * newer, what was rejected, and that what was answered is done with. That deposes the tab
 * that leads, which then loads it.
 */

import type { Entity, Op, Place, Standing, State, Store, Write } from "../core/storage-ops.ts";
import { applyAll, entityOf, QUEUE, waiting } from "../core/storage-ops.ts";
import { inOrder, placeOf } from "../core/write-order.ts";
import { RhtmxError } from "../errors.ts";
import { IndexedStore } from "./indexeddb.ts";

/** Milliseconds after which a store that failed is tried again. */
const AGAIN = 5_000;

/** A store that may fail; see `IndexedStore`. */
export interface Disk extends Store {
  load(merge?: (found: State) => Op[]): Promise<State>;
  probe(): Promise<string>;
  hold(write: Write, instead: string): void;
  release(id: string): boolean;
  isInDoubt(id: string): boolean;
  refuse(why: string): void;
}

interface Parked {
  write: Write;
  readonly instead: string | undefined;
  readonly resolve: (seq: number | Promise<number>) => void;
}

/**
 * The store of a browser, for as long as that works.
 *
 * @param makeId makes ids: of the client, the first time, and of one of its own.
 * @param clientId the client's id, if the application gives one.
 * @param secret what gives it the right to that, if the application gives it.
 * @param why nothing may be stored, if so: other tabs would not get it.
 */
export function browserStore(
  name: string,
  state: State,
  makeId: () => string,
  clientId?: string,
  secret?: string,
  why?: Error,
): Fallback {
  const disk = new IndexedStore(name, makeId, clientId, secret, state);
  if (why) disk.refuse(why.message);
  return new Fallback(disk, state, makeId);
}

/** A store of the browser, or memory while that store does not work. */
export class Fallback implements Store {
  onlost?: (error: RhtmxError) => void;
  onmove?: (standing: Standing) => void;
  onback?: () => Promise<void>;
  readonly #disk: Disk;
  readonly #state: State;
  readonly #makeId: () => string;
  #is: "stored" | "leaving" | "own" | "returning" = "stored";
  #loaded = false;
  #closed = false;
  /** It may be loaded from the disk, though it is not `stored`. */
  #loads = false;
  /** There while it is not `stored`: each change of memory asks for it. */
  look: ((open: boolean) => void) | undefined;
  #looks = false;
  /** By their ids. */
  readonly #parked = new Map<string, Parked>();
  /** Whose store was lost, and which writes and rejected ones of it were known. */
  #lost = "";
  #had = { writes: [] as string[], rejected: [] as string[] };
  #open = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param state the memory of this tab.
   * @param makeId makes an id for a client of its own.
   */
  constructor(disk: Disk, state: State, makeId: () => string) {
    this.#disk = disk;
    this.#state = state;
    state.parked = this.#parked;
    this.#makeId = makeId;
    disk.onlost = (error) => this.#lose(error);
  }

  get stored(): boolean {
    return this.#loaded && this.#is === "stored";
  }

  async load(): Promise<State> {
    const isBack = this.#loads && this.#is !== "stored";
    if (this.#is === "stored" || isBack) {
      try {
        const found = await this.#disk.load(isBack ? (there) => this.#merge(there) : undefined);
        if (isBack) this.#return();
        if (this.#is === "stored") {
          this.#loaded = true;
          return found;
        }
      } catch (error) {
        this.#lose(error as RhtmxError);
      }
    }
    return this.#state;
  }

  async add(write: Write, instead?: string): Promise<number> {
    const { frozen, meta } = this.#state;
    // To wait for a number until none is without an answer would be to wait for itself.
    if (this.#is !== "stored" && write.seq) return frozen ? write.seq : ++meta.last;
    if (this.#is !== "stored") return this.#park(write, instead);
    try {
      const seq = await this.#disk.add(write, instead);
      // It is there, though the disk is lost by now.
      if (this.#is !== "stored") this.#had.writes.push(write.id);
      return seq;
    } catch (error) {
      if (isFull(error)) throw error;
      // First: nothing asks the disk for its number any more.
      const parked = write.seq ? undefined : this.#park(write, instead);
      this.#lose(error as RhtmxError);
      if (!parked) throw error;
      return parked;
    }
  }

  async apply(ops: readonly Op[], leader?: string): Promise<boolean> {
    if (this.#is !== "stored") return true;
    try {
      return await this.#disk.apply(ops, leader);
    } catch (error) {
      if (isFull(error)) throw error;
      this.#lose(error as RhtmxError);
      return true;
    }
  }

  hold(write: Write, instead: string): void {
    this.#disk.hold(write, instead);
  }

  refuse(why: string): void {
    this.#disk.refuse(why);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#disk.close();
  }

  #look(open = this.#open): void {
    this.#open = open;
    if (this.#looks) return;
    this.#looks = true;
    // Not in the middle of what changes it.
    queueMicrotask(() => {
      this.#looks = false;
      this.#move();
    });
  }

  #park(write: Write, instead: string | undefined): Promise<number> {
    return new Promise((resolve) => {
      this.#parked.set(write.id, { write, instead, resolve });
      this.#look();
    });
  }

  /** Whether writes wait, from this place on, that are not parked. */
  #waits(from: { readonly seq?: number }): boolean {
    const all = inOrder(this.#state.writes);
    return all.slice(placeOf(all, from)).some(({ id }) => !this.#parked.has(id));
  }

  /** What was parked, which it is no more; without what another tab is done with. */
  #unpark(): Parked[] {
    const all = [...this.#parked.values()];
    this.#parked.clear();
    const open: Parked[] = [];
    for (const each of all) {
      if (this.#state.writes.has(each.write.id)) open.push(each);
      else each.resolve(0);
    }
    return open;
  }

  #lose(error: RhtmxError): void {
    if (this.#is !== "stored" || this.#closed) return;
    const { meta, rejected, writes } = this.#state;
    this.#is = "leaving";
    // What others told while nothing was loaded has the numbers of a client that this tab is not.
    const others = this.#loaded ? [] : [...writes.values()].filter(({ seq }) => seq !== undefined);
    applyAll(
      this.#state,
      others.map(({ id }) => ["write", id]),
    );
    // A connection of its own is made anew, and told.
    this.#open = false;
    this.look = (open) => this.#look(open);
    this.#state.frozen = true;
    this.#lost = meta.client_id;
    this.#had = {
      writes: waiting(this.#state).map(({ id }) => id),
      rejected: [...rejected.keys()],
    };
    const words = `${error.message}; until it works again, all is kept in memory, and sent`;
    this.onlost?.(new RhtmxError(error.code, words));
    this.#move();
    if (this.#state.frozen) this.onmove?.("alone");
    this.#later();
  }

  #later(): void {
    if (!this.#closed) this.#timer = setTimeout(() => void this.#probe(), AGAIN);
  }

  async #probe(): Promise<void> {
    // From then on another disk will do: what this one is asked to number must not end up there.
    if (this.#waits({})) return this.#later();
    try {
      const id = await this.#disk.probe();
      if (this.#closed) return;
      if (this.#is === "leaving" && id === this.#lost) return void this.#back();
      this.#is = "returning";
      this.#move();
    } catch {
      this.#later();
      this.#look();
    }
  }

  /** Does what can be done now. */
  #move(): void {
    if (this.#closed || this.#waits({ seq: 1 })) return;
    if (this.#is === "leaving") this.#become();
    else if (this.#is === "returning") void this.#back();
    else if (this.#is === "own" && this.#open) this.#number();
  }

  /** Gives what is parked a number of its own. */
  #number(): void {
    const { meta } = this.#state;
    for (const each of this.#unpark()) {
      const { write, resolve } = each;
      if (this.#disk.isInDoubt(write.id)) this.#parked.set(write.id, each);
      else resolve(this.#disk.release(write.id) ? ++meta.last : 0);
    }
  }

  /** A client of its own. */
  #become(): void {
    applyAll(this.#state, [
      ["client_id", this.#makeId()],
      ["secret", this.#makeId()],
      ["renumber", 0],
    ]);
    this.#is = "own";
    this.#state.frozen = false;
    this.onmove?.("alone");
  }

  /** Loads the disk, and what memory has on top. */
  async #back(): Promise<void> {
    if (this.#loads) return;
    this.#loads = true;
    // What the server says meanwhile is said of another client.
    this.onmove?.("nowhere");
    await this.onback?.();
    this.#loads = false;
    if (this.#closed) return;
    if (this.#is === "stored") return this.onmove?.("shared");
    if (this.#is === "returning") this.#is = this.#state.frozen ? "leaving" : "own";
    this.onmove?.("alone");
    this.#move();
    this.#later();
  }

  #return(): void {
    this.#is = "stored";
    this.look = undefined;
    this.#state.frozen = false;
    this.#state.changed.add(QUEUE);
    for (const { write, instead, resolve } of this.#unpark()) resolve(this.add(write, instead));
  }

  /** What memory has, and the disk lacks. */
  #merge(found: State): Op[] {
    const { entities, writes, rejected, meta } = this.#state;
    // In another database nothing was known.
    const isSame = found.meta.client_id === this.#lost;
    const had = isSame ? this.#had : { writes: [], rejected: [] };
    const ops: Op[] = [["leader", meta.leader ?? ""]];
    for (const id of had.writes) if (!writes.has(id)) ops.push(["write", id]);
    for (const id of had.rejected) if (!rejected.has(id)) ops.push(["rejected", id]);
    for (const [id, write] of writes) if (write.settled) ops.push(["write", id, write]);
    for (const [id, each] of rejected)
      if (!had.rejected.includes(id)) ops.push(["rejected", id, each]);
    for (const each of entities.values()) ops.push(...newer(each, entityOf(found, each.name)));
    return ops;
  }
}

/** Whether that is all that is wrong with the disk. */
function isFull(error: unknown): boolean {
  return (error as RhtmxError).code === "storage_full";
}

/** What brings an entity on the disk to what memory has of it; nothing if that is no further. */
function newer({ name, places, records }: Entity, there: Entity): Op[] {
  const isNot = ([part, at]: [string, Place]) => {
    const { epoch, version, fields } = places.get(part) ?? {};
    return !(version! >= at.version) || epoch !== at.epoch || fields !== at.fields;
  };
  const further = [...places].filter(
    ([part, { version }]) => version > (there.places.get(part)?.version ?? 0),
  );
  if (!further.length || [...there.places].some(isNot)) return [];
  const gone = [...there.records.keys()].filter((id) => !records.has(id));
  return [
    ...gone.map((id): Op => ["record", name, id]),
    ...[...records].map(([id, held]): Op => ["record", name, id, held]),
    ...further.map(([part, place]): Op => ["place", part, place]),
  ];
}
