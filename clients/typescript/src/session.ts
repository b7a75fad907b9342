/**
 * The client's side, over as many connections as it takes.
 *
 * Knows how connections follow one another, and that what cannot be understood
 * ends them. Must not know sockets, clocks or timers: frames and times go in,
 * frames and events come out, times are in milliseconds of any clock that does
 * not jump.
 */
import { Conversation } from "./conversation.ts";
import { RhtmxError } from "./errors.ts";
import { Link } from "./link.ts";
import { ERRORS, SCHEMA_HASH } from "./messages/tables.ts";
import { Outbox } from "./outbox.ts";
import { Pushes } from "./pushes.ts";
import { finalError, isUnknownType, shouldReconnect } from "./verdict.ts";
import { decodeFromServer } from "./wire/index.ts";
import type { Event, Output, State } from "./events.ts";
import type { Position, Push, PushFields, ServerMessage, Welcome } from "./messages/types.ts";
import type { MutationStore } from "./queue.ts";
import type { Question } from "./requests.ts";
import type { Granularity } from "./streams.ts";
import type { Format } from "./wire/index.ts";

/** What a session is made from. */
export interface SessionOptions {
  readonly format: Format;
  /** A number from 0 to 1, 1 excluded, each time it is called. */
  readonly random: () => number;
  /** Stable id of this client; without it a write takes effect at least once, not once. */
  readonly clientId?: string | undefined;
  /** Bearer token, presented on every connection. */
  readonly token?: string | undefined;
  /** Where writes wait for their answer; in memory if left out. */
  readonly store?: MutationStore | undefined;
}

const NORMAL_CLOSURE = 1000;

/** See the head of the file. `take` says what came of the calls before it. */
export class Session {
  readonly #options: SessionOptions;
  readonly #link: Link;
  readonly #outbox: Outbox;
  readonly #pushes: Pushes;
  readonly #conversation: Conversation;
  #events: Event[] = [];
  #state: State = "waiting";
  #token: string | undefined;
  #epoch: string | undefined;
  #problem: RhtmxError | undefined;

  constructor(options: SessionOptions) {
    const { format, random, clientId, store } = options;
    this.#options = options;
    this.#token = options.token;
    this.#link = new Link(random);
    this.#outbox = new Outbox(format);
    this.#pushes = new Pushes(this.#outbox, random, clientId !== undefined, store);
    this.#conversation = new Conversation(this.#outbox, this.#pushes, (event) => this.#tell(event));
  }

  /** Whether there is a connection, and whether there will be one. */
  get state(): State {
    return this.#state;
  }

  /** When `tick` is to be called next; undefined for never. */
  get deadline(): number | undefined {
    const { deadline } = this.#link;
    return deadline && Math.min(deadline, this.#pushes.retryAt ?? deadline);
  }

  /** Returns what came of the calls since the last `take`. */
  take(now: number): Output {
    this.#conversation.flush(now);
    const frames = this.#outbox.take();
    if (frames.length > 0) this.#link.sent(now);
    const events = this.#events;
    this.#events = [];
    return { frames, events };
  }

  /** Time passed. The first call makes the first connection. */
  tick(now: number): void {
    const due = this.#link.tick(now);
    if (due === "connect") {
      this.#become("connecting");
      this.#tell({ event: "connect" });
    } else if (due === "ping") {
      this.#outbox.send({ type: "ping" });
    } else if (due === "give up") {
      this.#tell({ event: "disconnect", code: ERRORS.stalled.close });
      this.lost(undefined, now);
    }
  }

  /** The socket opened. */
  opened(now: number): void {
    this.#link.opened(now);
    this.#outbox.send({
      type: "hello",
      client_id: this.#options.clientId,
      token: this.#token,
      schema: SCHEMA_HASH,
      epoch: this.#epoch,
      confirmed_seq: this.#pushes.confirmed,
    });
    this.#conversation.begin();
  }

  /** A frame arrived. */
  receive(data: string | Uint8Array, now: number): void {
    if (!this.#link.canSend) return;
    this.#link.received(now);
    const message = this.#decode(data);
    if (message === undefined || message.type === "pong") return;
    if (message.type === "welcome") this.#welcomed(message, now);
    else if (message.type === "ping") this.#outbox.send({ type: "pong" });
    else this.#conversation.receive(message, now);
  }

  /** The connection ended, or could not be made. `code`: its close code, if there was one. */
  lost(code: number | undefined, now: number): void {
    if (this.#state === "closed") return;
    this.#outbox.take();
    if (code !== undefined && !shouldReconnect(code)) {
      this.#end(finalError(code, this.#problem));
      return;
    }
    this.#conversation.interrupted();
    this.#link.lost(now);
    this.#become("waiting");
  }

  /** Ends everything; what waits for an answer is refused with code `closed`. */
  close(): void {
    if (this.#state === "closed") return;
    this.#tell({ event: "disconnect", code: NORMAL_CLOSURE });
    this.#end(new RhtmxError("closed", "the client was closed"));
  }

  /**
   * Starts a live stream, at the next change if `since` is left out.
   *
   * @throws RhtmxError `not_supported` if there is one already, `closed`, `bad_message`.
   */
  subscribe(granularity: Granularity, entity: string, since?: Position): void {
    this.#refuseIfClosed();
    this.#conversation.subscribe(granularity, entity, since);
  }

  /** Ends a live stream. */
  unsubscribe(granularity: Granularity, entity: string): void {
    this.#conversation.unsubscribe(granularity, entity);
  }

  /**
   * Writes.
   *
   * @returns the id under which `answered` or `refused` will tell the outcome.
   * @throws RhtmxError `closed`, or `bad_message` for what cannot be sent.
   */
  push(message: Push | PushFields): string {
    this.#refuseIfClosed();
    return this.#conversation.push(message);
  }

  /**
   * Asks.
   *
   * @returns the id under which `answered` or `refused` will tell the outcome.
   * @throws RhtmxError `closed`, or `bad_message` for what cannot be sent.
   */
  ask(question: Question): string {
    this.#refuseIfClosed();
    const id = this.#conversation.ask(question);
    if (question.type === "authenticate") this.#token = question.token;
    return id;
  }

  #welcomed(message: Welcome, now: number): void {
    this.#link.welcomed(message.heartbeat, now);
    this.#outbox.limit = message.limits.message_bytes;
    this.#epoch = message.epoch;
    this.#problem = undefined;
    this.#conversation.welcomed(message.epoch, message.last_seq);
    this.#become("open");
  }

  #decode(data: string | Uint8Array): ServerMessage | undefined {
    try {
      return decodeFromServer(data, this.#options.format);
    } catch (error) {
      if (!(error instanceof RhtmxError)) throw error;
      // A newer server may say more than this client knows: no harm. Anything
      // else would leave a hole that nobody sees.
      if (isUnknownType(error)) this.#tell({ event: "problem", error });
      else {
        this.#tell({ event: "disconnect", code: ERRORS.bad_message.close });
        this.#end(error);
      }
      return undefined;
    }
  }

  #end(error: RhtmxError): void {
    this.#link.close();
    this.#outbox.take();
    this.#conversation.end(error);
    this.#become("closed", error);
  }

  #become(state: State, error?: RhtmxError): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#tell({ event: "state", state, error });
  }

  #tell(event: Event): void {
    // Says why the server closes the connection, if it does next.
    if (event.event === "problem") this.#problem = event.error;
    this.#events.push(event);
  }

  #refuseIfClosed(): void {
    if (this.#state === "closed") throw new RhtmxError("closed", "the client is closed");
  }
}
