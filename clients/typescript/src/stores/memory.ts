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
    return structuredClone(this.#state);
  }

  async add(write: Write, instead = ""): Promise<number> {
    const known = this.#state.writes.get(write.id)?.seq;
    if (known !== write.seq) return known ?? 0;
    const seq = this.#state.meta.last + 1;
    applyAll(this.#state, [
      ["rejected", instead],
      ["write", write.id, { ...write, seq }],
    ]);
    return seq;
  }

  async apply(ops: readonly Op[], leader?: string): Promise<boolean> {
    if (leader && this.#state.meta.leader !== leader) return false;
    applyAll(this.#state, ops);
    return true;
  }

  close(): void {}
}
