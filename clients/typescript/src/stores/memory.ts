/**
 * A store that lasts as long as the program.
 *
 * Knows nothing of disks.
 */

import type { Op, State, Store, Write } from "../core/storage-ops.ts";
import { applyAll, stateOf } from "../core/storage-ops.ts";

/** What a client keeps, until the program ends. */
export class MemoryStore implements Store {
  readonly #state: State;

  /**
   * @param clientId the id of the client.
   * @param secret what gives it the right to that.
   */
  constructor(clientId: string, secret = "") {
    this.#state = stateOf([
      ["client_id", clientId],
      ["secret", secret],
    ]);
  }

  async load(): Promise<State> {
    const found = structuredClone(this.#state);
    for (const { records, writes, dirty } of found.entities.values())
      for (const id of [...records.keys(), ...writes.keys()]) dirty.add(id);
    return found;
  }

  async add(write: Write, instead = ""): Promise<number> {
    const known = this.#state.writes.get(write.id)?.seq;
    if (known !== write.seq) return known ?? 0;
    const seq = this.#state.meta.last + 1;
    this.#apply([
      ["rejected", instead],
      ["write", write.id, { ...write, seq }],
    ]);
    return seq;
  }

  async apply(ops: readonly Op[], leader?: string): Promise<boolean> {
    if (leader && this.#state.meta.leader !== leader) return false;
    this.#apply(ops);
    return true;
  }

  /** What has changed is of no interest here: it would only grow. */
  #apply(ops: readonly Op[]): void {
    applyAll(this.#state, ops);
    this.#state.changed.clear();
    for (const { dirty } of this.#state.entities.values()) dirty.clear();
  }

  close(): void {}
}
