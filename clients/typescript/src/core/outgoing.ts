/**
 * What a conversation has to send and to tell, collected until it is fetched.
 *
 * Knows how a message becomes a frame, and how large it may be. Must not know who says
 * something, nor why: all parts of a session put in here what comes of their decisions, so
 * that none of them has to call another one back.
 */

import type { Refusal } from "../errors.ts";
import { RhtmxError } from "../errors.ts";
import type { ClientMessage } from "../messages/types.ts";
import type { Codec, Frame } from "../wire/format.ts";
import type { ConnectionLifecycle } from "./connection-lifecycle.ts";
import type { Event, Output } from "./events.ts";

const UTF8 = /* @__PURE__ */ new TextEncoder();

/** The refusal of a message on which connections ended. */
export const TOO_LARGE: Refusal = {
  code: "too_large",
  message: "the connection ended on it: too large for the server or a proxy: split it",
  details: null,
};

/** What is to be sent and told once the current input is done with. */
export class Outgoing {
  /** The largest message that the server takes, in bytes. */
  limit = Infinity;
  readonly #codec: Codec;
  readonly #lifecycle: ConnectionLifecycle;
  #frames: Frame[] = [];
  #events: Event[] = [];
  /** What is done at the answers to pings, in order. */
  #fences: (() => void)[] = [];

  /** @param lifecycle says whether something can be sent. */
  constructor(codec: Codec, lifecycle: ConnectionLifecycle) {
    this.#codec = codec;
    this.#lifecycle = lifecycle;
  }

  tell(event: Event): void {
    this.#events.push(event);
  }

  send(message: ClientMessage): void {
    if (!this.#lifecycle.canSend) return;
    const frame = this.#codec.encode(message);
    const bytes = typeof frame === "string" ? UTF8.encode(frame).length : frame.length;
    if (bytes > this.limit) {
      const words = `${bytes} bytes, the server takes ${this.limit}: split it`;
      throw new RhtmxError("too_large", words);
    }
    this.#frames.push(frame);
  }

  /** Asks for a sign of life; `act` is to be done when it comes, after what came before. */
  fence(act = () => {}): void {
    this.#lifecycle.pinged();
    this.#fences.push(act);
    this.send({ type: "ping" });
  }

  /** A sign of life has come; returns what is to be done at it. */
  passed(): (() => void) | undefined {
    this.#lifecycle.ponged();
    return this.#fences.shift();
  }

  /** The connection ended: what was not sent on it, never is. */
  lost(): void {
    this.#frames = [];
    this.#fences = [];
  }

  /** Returns what was collected; it is sent now. */
  take(now: number): Pick<Output, "frames" | "events"> {
    if (this.#frames.length) this.#lifecycle.sent(now);
    const output = { frames: this.#frames, events: this.#events };
    this.#frames = [];
    this.#events = [];
    return output;
  }
}
