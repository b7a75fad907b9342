/**
 * A session with a word for each input. What comes of them is collected until it is taken.
 */
import type { Event, Input, Output } from "../../src/core/events.ts";
import type { SessionOptions } from "../../src/core/session.ts";
import { Session } from "../../src/core/session.ts";
import type { Op, State } from "../../src/core/storage-ops.ts";
import type { TabMessage } from "../../src/core/tab-messages.ts";
import type { Refusal } from "../../src/errors.ts";
import type { Frame } from "../../src/wire/index.ts";

const nothing = () => ({ frames: [] as Frame[], events: [] as Event[], ops: [] as Op[] });

/** See the head of the file. */
export class TestSession {
  deadline: number | undefined;
  readonly #session: Session;
  #output = nothing();

  constructor(options: SessionOptions, state: State) {
    this.#session = new Session(options, state);
  }

  get state() {
    return this.#session.state;
  }

  set token(token: string) {
    this.#session.token = token;
  }

  tick(now: number): void {
    this.#handle({ type: "tick" }, now);
  }

  opened(now: number): void {
    this.#handle({ type: "opened" }, now);
  }

  receive(data: string | Uint8Array, now: number): void {
    this.#handle({ type: "frame", data }, now);
  }

  lost(code: number | undefined, now: number, why?: Refusal): void {
    // What was not sent on it, never is.
    this.#output.frames = [];
    this.#handle({ type: "ended", code, ...(why && { why }) }, now);
  }

  explained(why: Refusal): void {
    this.#handle({ type: "explained", why }, 0);
  }

  told(message: TabMessage, now: number): void {
    this.#handle(message, now);
  }

  stored(ops: readonly Op[]): void {
    this.#handle({ type: "stored", ops }, 0);
  }

  unnumbered(id: string, now: number): void {
    this.#handle({ type: "unnumbered", id }, now);
  }

  loaded(): void {
    this.#handle({ type: "loaded" }, 0);
  }

  /** What came of what was said since the last time. */
  take(): Omit<Output, "deadline"> {
    const output = this.#output;
    this.#output = nothing();
    return output;
  }

  #handle(input: Input, now: number): void {
    const { frames, events, ops, deadline } = this.#session.step(input, now);
    this.#output.frames.push(...frames);
    this.#output.events.push(...events);
    this.#output.ops.push(...ops);
    this.deadline = deadline;
  }
}
