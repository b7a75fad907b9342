/**
 * A disk for a client, which fails when the test says so.
 */

import type { Op, State, Write } from "../../src/core/storage-ops.ts";
import { applyAll } from "../../src/core/storage-ops.ts";
import { RhtmxError } from "../../src/errors.ts";
import type { Disk } from "../../src/stores/fallback.ts";
import type { MemoryStore } from "../../src/stores/memory.ts";

export class FakeDisk implements Disk {
  onlost?: (error: RhtmxError) => void;
  /** Why it does not work. */
  why = "";
  /** It is full. */
  full = false;
  /** What another page has taken. */
  readonly taken = new Set<string>();
  /** What may have been stored, though it failed. */
  readonly doubtful = new Set<string>();
  readonly held: string[] = [];
  closed = false;
  readonly #store: () => MemoryStore;

  /** @param store what is on it. */
  constructor(store: () => MemoryStore) {
    this.#store = store;
  }

  /** It does not work any more, and says so. */
  breaks(why: string): void {
    this.why = why;
    this.onlost?.(this.#error);
  }

  load(merge?: (found: State) => Op[]): Promise<State> {
    return this.later(async () => {
      const store = this.#store();
      const found = await store.load();
      const ops = merge?.(found) ?? [];
      this.#put(ops.length);
      applyAll(found, ops);
      await store.apply(structuredClone(ops));
      return found;
    });
  }

  probe(): Promise<string> {
    return this.later(async () => (await this.#store().load()).meta.client_id);
  }

  async add(write: Write, instead?: string): Promise<number> {
    if (this.taken.has(write.id)) return 0;
    return this.later(() => {
      this.#put(1);
      return this.#store().add(structuredClone(write), instead);
    });
  }

  apply(ops: readonly Op[], leader?: string): Promise<boolean> {
    return this.later(async () => {
      const leads = await this.#store().apply([], leader);
      if (leads) this.#put(ops.length);
      return leads && this.#store().apply(structuredClone(ops), leader);
    });
  }

  hold({ id }: Write): void {
    this.held.push(id);
  }

  release(id: string): boolean {
    return !this.taken.has(id);
  }

  isInDoubt(id: string): boolean {
    return this.doubtful.has(id);
  }

  refuse(why: string): void {
    this.breaks(why);
  }

  close(): void {
    this.closed = true;
  }

  /** Does something, if it works. */
  protected async later<T>(act: () => Promise<T>): Promise<T> {
    if (this.why) throw this.#error;
    return act();
  }

  /** What is full can be read. */
  #put(count: number): void {
    if (this.full && count) throw new RhtmxError("storage_full", "no space left");
  }

  get #error(): RhtmxError {
    return new RhtmxError("storage_failed", this.why);
  }
}
