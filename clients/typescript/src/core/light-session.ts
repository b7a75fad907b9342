/**
 * The client's side for a page that asks, and keeps nothing: of a session only the conversation.
 *
 * Knows which input leads to which frames and events. Must not know records, writes or rooms: see
 * `session.ts` for a client that has them.
 */

import { ConnectionLifecycle } from "./connection-lifecycle.ts";
import type { ConversationOptions, Topic } from "./conversation.ts";
import { Conversation } from "./conversation.ts";
import type { Input, Output } from "./events.ts";
import { Outgoing, TOO_LARGE } from "./outgoing.ts";
import type { State as Connection } from "./tab-messages.ts";

/** The connections of a client that only asks: takes one input after the other, does no I/O. */
export class LightSession {
  readonly #out: Outgoing;
  readonly #talk: Conversation;

  constructor(options: ConversationOptions) {
    const lifecycle = new ConnectionLifecycle(options.random);
    this.#out = new Outgoing(options.codec, lifecycle);
    this.#talk = new Conversation(options, lifecycle, this.#out, {
      hello: () => ({}),
      welcomed() {},
      heard: (message, now) => this.#handle(message, now),
      again() {},
      suspect: () => this.#suspect(),
      lost() {},
    });
  }

  /** Whether there is a connection, and whether there will be one. */
  get state(): Connection {
    return this.#talk.state;
  }

  /** Bearer token, presented on every connection from the next one on. */
  set token(token: string) {
    this.#talk.token = token;
  }

  /** Takes what has happened at a time, and returns what comes of it. */
  step(input: Input, now: number): Omit<Output, "ops"> {
    this.#talk.take(input, now);
    this.#talk.flush();
    return { ...this.#out.take(now), deadline: this.#talk.deadline };
  }

  #handle(message: Topic, now: number): void {
    if (message.type === "pong") this.#out.passed();
    else if (message.type === "error") this.#talk.failed(message, now);
    else if (
      message.type === "authenticated" ||
      message.type === "validation_result" ||
      message.type === "form_validation_result"
    )
      this.#talk.answered(message);
  }

  /** What was asked is refused: it would end the next connection, too. */
  #suspect(): boolean {
    const asked = [...this.#talk.requests.asked];
    for (const id of asked) this.#talk.requests.answered(id, undefined, TOO_LARGE);
    return asked.length > 0;
  }
}
