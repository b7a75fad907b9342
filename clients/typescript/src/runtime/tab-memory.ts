/**
 * What one tab holds in memory, in step with the store and with other tabs.
 *
 * Knows that the store is read while other things happen, and that what is told
 * may come late. Must not know who tells it, nor who looks.
 */

import type { Op, State, Store, Write } from "../core/storage-ops.ts";
import { answered, apply, applyAll, stateOf } from "../core/storage-ops.ts";

/** The memory of one tab. */
export class TabMemory {
  /** Always the same object; what is in it is not. */
  readonly state: State;
  readonly #store: Store;
  /** What has changed while the store is being read. */
  #meanwhile: Op[] | undefined = [];
  /** Writes that were found in the store, or by another tab, before their own tab announced them. */
  readonly #found = new Set<string>();
  /** Whose numbers writes have that were announced while the store was being read. */
  readonly #clients = new Map<string, string>();
  #reading: Promise<unknown> = Promise.resolve();

  constructor(store: Store, state = stateOf()) {
    this.#store = store;
    this.state = state;
  }

  /** Applies operations to memory. */
  apply(ops: readonly Op[]): void {
    for (const op of ops) {
      const write = op[0] === "write" ? op[2] : null;
      if (write?.seq) this.#find(write.id);
      // A write that has no number yet is in this tab only.
      if (!write || write.seq) this.note(op);
      apply(this.state, op);
    }
  }

  /** A write of this tab gets no number here. What is being read may have it: another page's. */
  drop(id: string): void {
    apply(this.state, ["write", id]);
  }

  /** Something was applied to memory. It comes after what is being read. */
  note(op: Op): void {
    this.#meanwhile?.push(op);
  }

  /**
   * A tab has announced a write; false if that is late: it may have another number by now, or be done with.
   *
   * @param client whose number it has, if that is known.
   */
  added(write: Write, client?: string): boolean {
    if (client && this.#meanwhile) this.#clients.set(write.id, client);
    const late = this.#found.has(write.id);
    if (!late) this.apply([["write", write.id, write]]);
    this.#found.delete(write.id);
    return !late;
  }

  /** Reads everything. */
  load(): Promise<void> {
    return this.#read(async () => {
      const meanwhile = (this.#meanwhile ??= []);
      const state = await this.#store.load();
      // Nothing could be read: memory is all that there is.
      if (state === this.state) return;
      // Before what is on top: memory may lack writes of other tabs, and be ahead of the store.
      state.answered = answered(state);
      // What was written before may have been answered, and be in the store no more.
      state.time = Math.max(state.time, this.state.time);
      // What is read may be another database than the one of which a tab told.
      const isOf = ({ 1: id }: Op) =>
        (this.#clients.get(`${id}`) ?? state.meta.client_id) === state.meta.client_id;
      applyAll(state, [...this.#unnumbered(state), ...meanwhile.filter(isOf)]);
      for (const id of state.writes.keys()) this.#find(id);
      for (const name of this.state.entities.keys()) state.changed.add(name);
      Object.assign(this.state, state);
    });
  }

  /**
   * Reads the queue.
   *
   * @param unstored called as it begins: what was applied and is not in the store yet.
   * @returns what brings any tab's memory to it.
   */
  reload(unstored: () => Op[]): Promise<Op[]> {
    return this.#read(async () => {
      const meanwhile = (this.#meanwhile = unstored());
      const found = await this.#store.load();
      const own = this.#unnumbered(found);
      const ops: Op[] = [
        ...[...this.state.writes.keys()].map((id): Op => ["write", id]),
        ...[...found.writes].map(([id, write]): Op => ["write", id, write]),
        ["last", found.meta.last],
        ...meanwhile,
      ];
      this.apply([...ops, ...own]);
      return ops;
    });
  }

  /** One reading after the other. */
  #read<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#reading.then(act).finally(() => {
      this.#meanwhile = undefined;
      this.#clients.clear();
    });
    this.#reading = done.catch(() => {});
    return done;
  }

  /** Writes that the store is about to number. */
  #unnumbered({ writes }: State): Op[] {
    const own = [...this.state.writes].filter(
      ([id, { seq }]) => seq === undefined && !writes.has(id),
    );
    return own.map(([id, write]) => ["write", id, write]);
  }

  #find(id: string): void {
    if (!this.state.writes.has(id)) this.#found.add(id);
  }
}
