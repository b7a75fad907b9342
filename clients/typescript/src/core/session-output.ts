/**
 * What a session has to send, to tell and to store, collected until it is fetched.
 *
 * Knows the memory, and which operations have to last. Must not know who says something,
 * nor why: see `outgoing.ts`.
 */

import type { Codec } from "../wire/format.ts";
import type { ConnectionLifecycle } from "./connection-lifecycle.ts";
import type { Output } from "./events.ts";
import { Outgoing } from "./outgoing.ts";
import type { Op, State } from "./storage-ops.ts";
import { apply, RETELLABLE } from "./storage-ops.ts";
import type { Core } from "./streams.ts";

/** What is to be sent, told and stored once the current input is done with. */
export class SessionOutput extends Outgoing implements Core {
  readonly state: State;
  epoch = "";
  unstored: Op | undefined;
  #ops: Op[] = [];

  /**
   * @param state the memory to work on.
   * @param lifecycle says whether something can be sent.
   */
  constructor(state: State, codec: Codec, lifecycle: ConnectionLifecycle) {
    super(codec, lifecycle);
    this.state = state;
  }

  emit(op: Op): void {
    apply(this.state, op);
    this.#ops.push(op);
    if (!RETELLABLE.has(op[0])) this.unstored = op;
  }

  override take(now: number): Omit<Output, "deadline"> {
    const ops = this.#ops;
    this.#ops = [];
    return { ...super.take(now), ops };
  }
}
