/**
 * What a session has to send, to tell and to store, collected until it is fetched.
 *
 * Knows how a message becomes a frame, and how large it may be. Must not know who says
 * something, nor why: all parts of a session put in here what comes of their decisions, so
 * that none of them has to call another one back.
 */

import type { Refusal } from "../errors.ts";
import { RhtmxError } from "../errors.ts";
import type { ClientMessage } from "../messages/types.ts";
import type { Format, Frame } from "../wire/index.ts";
import { encodeFromClient } from "../wire/index.ts";
import type { ConnectionLifecycle } from "./connection-lifecycle.ts";
import type { Event, Output } from "./events.ts";
import type { Op, State } from "./storage-ops.ts";
import { apply, RETELLABLE } from "./storage-ops.ts";
import type { Core } from "./streams.ts";

const UTF8 = /* @__PURE__ */ new TextEncoder();

/** The refusal of a message on which connections ended. */
export const TOO_LARGE: Refusal = {
  code: "too_large",
  message: "the connection ended on it: too large for the server or a proxy: split it",
  details: null,
};

/** What is to be sent, told and stored once the current input is done with. */
export class SessionOutput implements Core {
  readonly state: State;
  epoch = "";
  unstored: Op | undefined;
  /** The largest message that the server takes, in bytes. */
  limit = Infinity;
  readonly #format: Format;
  readonly #lifecycle: ConnectionLifecycle;
  #frames: Frame[] = [];
  #events: Event[] = [];
  #ops: Op[] = [];
  /** What is done at the answers to pings, in order. */
  #fences: (() => void)[] = [];

  /**
   * @param state the memory to work on.
   * @param lifecycle says whether something can be sent.
   */
  constructor(state: State, format: Format, lifecycle: ConnectionLifecycle) {
    this.state = state;
    this.#format = format;
    this.#lifecycle = lifecycle;
  }

  emit(op: Op): void {
    apply(this.state, op);
    this.#ops.push(op);
    if (!RETELLABLE.has(op[0])) this.unstored = op;
  }

  tell(event: Event): void {
    this.#events.push(event);
  }

  send(message: ClientMessage): void {
    if (!this.#lifecycle.canSend) return;
    const frame = encodeFromClient(message, this.#format);
    const bytes = typeof frame === "string" ? UTF8.encode(frame).length : frame.length;
    if (bytes > this.limit) {
      const words = `${bytes} bytes, the server takes ${this.limit}: split it`;
      throw new RhtmxError("too_large", words);
    }
    this.#frames.push(frame);
  }

  /** Asks for a sign of life; `act` is done when it comes, in order with what came before. */
  fence(act = () => {}): void {
    this.#lifecycle.pinged();
    this.#fences.push(act);
    this.send({ type: "ping" });
  }

  /** A sign of life has come. */
  passed(): void {
    this.#lifecycle.ponged();
    this.#fences.shift()?.();
  }

  /** The connection ended: what was not sent on it, never is. */
  lost(): void {
    this.#frames = [];
    this.#fences = [];
  }

  /** Returns what was collected. */
  take(): Omit<Output, "deadline"> {
    const output = { frames: this.#frames, events: this.#events, ops: this.#ops };
    this.#frames = [];
    this.#events = [];
    this.#ops = [];
    return output;
  }
}
