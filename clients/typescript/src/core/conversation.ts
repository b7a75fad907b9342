/**
 * What is said with a server over as many connections as it takes, whatever it is about.
 *
 * Knows how connections follow one another, what is said on every one of them, which answer
 * belongs to which question, and that what cannot be understood ends it. Must not know records,
 * writes nor forms: what a client wants beside questions, its `Topics` say. Must not know
 * sockets, clocks nor timers. Times are in milliseconds of any clock that does not jump.
 *
 * | input             | `waiting`    | `connecting`   | `open`         | `offline`       | `closed` |
 * | ----------------- | ------------ | -------------- | -------------- | --------------- | -------- |
 * | `tick`            | `connecting` | `waiting`      | =, `waiting`   | =               | =        |
 * | `opened`          | -            | =              | -              | -               | -        |
 * | `welcome`         | -            | `open`         | -              | -               | -        |
 * | `another message` | -            | =              | =              | -               | -        |
 * | `what is none`    | -            | `closed`       | `closed`       | -               | -        |
 * | `ended`           | -            | `waiting`      | `waiting`      | =               | =        |
 * | `ended for good`  | -            | `closed`       | `closed`       | =               | =        |
 * | `offline`         | `offline`    | `offline`      | `offline`      | =               | =        |
 * | `online`          | `connecting` | =              | =              | =, `connecting` | =        |
 * | `wake`            | `connecting` | =              | =              | =               | =        |
 *
 * `=` is the same state, `-` what does not come in it. A tick may be the one that gives up on a
 * connection; `offline` has reasons, and ends with the last of them.
 */

import type { Refusal } from "../errors.ts";
import { plain } from "../errors.ts";
import { ERRORS, SCHEMA_HASH } from "../messages/tables.ts";
import type {
  Answer,
  Ephemeral,
  Error as Failure,
  Hello,
  Ping,
  Question,
  ServerMessage,
  ValidationResult,
  Welcome,
} from "../messages/types.ts";
import type { Codec } from "../wire/format.ts";
import type { ConnectionLifecycle } from "./connection-lifecycle.ts";
import { finalError, isBusy, isTooLarge, mayPass, shouldReconnect } from "./error-policy.ts";
import type { Input } from "./events.ts";
import { asks } from "./handshake-failure.ts";
import type { Outgoing } from "./outgoing.ts";
import { Requests } from "./requests.ts";
import { RetryAfter } from "./retry-after.ts";
import type { State as Connection, Told } from "./tab-messages.ts";

/** What a conversation is made from. */
export interface ConversationOptions {
  readonly codec: Codec;
  /** A number from 0 to 1, 1 excluded, each time it is called. */
  readonly random: () => number;
  /** A token, or what gets a fresh one for each connection: then one that expired ends nothing. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
}

/** What a server says on a connection that is made. */
export type Topic = Exclude<ServerMessage, Ping | Welcome>;

/** What a client talks about, beside its questions. */
export interface Topics {
  /** What `hello` says of the client. */
  hello(): Omit<Hello, "type" | "token" | "schema">;
  /** A connection was welcomed. */
  welcomed(message: Welcome): void;
  /** The server says something. */
  heard(message: Topic, now: number): void;
  /** What the server was too busy for is to be asked again, beside questions. */
  again(): void;
  /** A connection ended on a message that was too large. Returns whether one is held for it. */
  suspect(): boolean;
  /** The connection ended. */
  lost(): void;
}

export const NORMAL_CLOSURE = 1000;
/** So many unknown words are reported: they come from outside, without end. */
const MOST_NOTED = 100;

/** The connections of one client, one after the other; decides, does no I/O. */
export class Conversation {
  readonly requests: Requests;
  readonly #options: ConversationOptions;
  readonly #lifecycle: ConnectionLifecycle;
  readonly #out: Outgoing;
  readonly #topics: Topics;
  /** The wait after a question or a subscription for which the server was too busy. */
  readonly #hold: RetryAfter;
  #problem: Refusal | undefined;
  /** Why no connection can be made, as far as that is known. */
  #refusal: Refusal | undefined;
  /** Handshakes in a row that failed. */
  #failures = 0;
  /** A server has welcomed this client. */
  #known = false;
  /** Who wants no connection: the application, the browser. */
  readonly #against = new Set<string>();
  /** What a newer server has said that is not known here. */
  readonly #noted = new Set<string>();
  /** Bearer token, presented on every connection. */
  token: string | undefined;

  /** @param out takes what is to be sent, by the same `lifecycle`. */
  constructor(
    options: ConversationOptions,
    lifecycle: ConnectionLifecycle,
    out: Outgoing,
    topics: Topics,
  ) {
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.#out = out;
    this.#topics = topics;
    this.requests = new Requests(out);
    this.#hold = new RetryAfter(options.random);
    if (typeof options.token === "string") this.token = options.token;
  }

  /** Whether there is a connection, and whether there will be one. */
  get state(): Connection {
    const { phase } = this.#lifecycle;
    return phase === "greeting" ? "connecting" : phase;
  }

  /** Whether the server has yet to say `welcome` on this connection. */
  get isGreeting(): boolean {
    return this.#lifecycle.phase === "greeting";
  }

  /** When to call `tick` next; undefined for never. */
  get deadline(): number | undefined {
    const { deadline } = this.#lifecycle;
    return deadline && Math.min(deadline, this.#hold.until ?? deadline);
  }

  /** Asks what waits to be asked, `most` of it. */
  flush(most = Infinity): void {
    if (this.state === "open" && this.#hold.until === undefined) this.requests.flush(most);
  }

  /** Takes what has happened at a time, if it is about the conversation. */
  take(input: Input, now: number): void {
    switch (input.type) {
      case "tick":
        return this.#tick(now);
      case "opened":
        return this.#opened(now);
      case "frame":
        return this.#received(input.data, now);
      case "ended":
        return this.lost(input.code, now, input.why);
      case "explained":
        return this.#explained(input.why);
      case "ask":
        return this.#ask(input.id, input.question);
      case "tell":
        return this.#say(input.message);
      case "offline":
        return this.offline(input.why);
      case "online":
        return this.#online(input.why, now);
      case "wake":
        return this.#wake(now);
    }
  }

  #tick(now: number): void {
    if (this.#hold.tick(now)) this.#topics.again();
    const due = this.#lifecycle.tick(now);
    if (due === "connect") {
      this.became();
      this.#out.tell({ type: "connect" });
    } else if (due === "ping") this.#out.fence();
    else if (due) {
      this.disconnect(ERRORS.stalled.close);
      this.lost(undefined, now);
    }
  }

  #opened(now: number): void {
    this.#lifecycle.opened(now);
    // This server may have another one.
    this.#out.limit = Infinity;
    const { token } = this;
    this.#out.send({ type: "hello", ...this.#topics.hello(), token, schema: SCHEMA_HASH });
  }

  #received(data: string | Uint8Array, now: number): void {
    if (!this.#lifecycle.canSend) return;
    this.#lifecycle.received(now);
    try {
      const message = this.#options.codec.decode(data, (...said) => this.#note(...said));
      if (message) this.#handle(message, now);
    } catch (error) {
      // To go on would leave a hole that nobody sees.
      this.disconnect(ERRORS.bad_message.close);
      return this.end(plain(error));
    }
  }

  /**
   * The connection ended, or could not be made.
   *
   * @param why there is no connection, if that is known.
   */
  lost(code: number | undefined, now: number, why?: Refusal): void {
    if (this.state === "closed" || this.state === "offline") return;
    const renewable = typeof this.#options.token === "function";
    const expired = renewable && code === ERRORS.unauthenticated.close;
    const goesOn = expired || (isTooLarge(code) && this.#topics.suspect());
    if (code !== undefined && !goesOn && !shouldReconnect(code)) {
      this.end(finalError(code, this.#problem));
      return;
    }
    if (why) this.#refusal = why;
    else if (code !== undefined && this.#lifecycle.phase === "connecting") {
      const times = ++this.#failures;
      if (asks(times, this.#known)) this.#out.tell({ type: "explain", times });
    }
    this.#interrupted();
    this.#lifecycle.lost(now, this.#problem?.retry_after);
    this.became();
  }

  #explained(why: Refusal): void {
    if (this.state !== "waiting" && this.state !== "connecting") return;
    this.#refusal = why;
    this.became();
  }

  #ask(id: string, question: Question): void {
    if (question.type === "authenticate") this.token = question.token;
    this.requests.add(id, question);
  }

  #say(message: Told): void {
    try {
      this.#out.send(message);
    } catch (error) {
      this.#out.tell({ type: "problem", error: plain(error) });
    }
  }

  /** No connection is wanted; `code` says why to the server. */
  offline(why: string, code = NORMAL_CLOSURE): void {
    if (this.state === "closed") return;
    this.#against.add(why);
    this.disconnect(code);
    this.#interrupted();
    this.#lifecycle.end("offline");
    this.became();
  }

  #online(why: string, now: number): void {
    this.#against.delete(why);
    // The network may have changed without an event.
    if (this.state !== "offline") return this.#wake(now);
    if (this.#against.size) return;
    this.#lifecycle.online(now);
    this.#tick(now);
  }

  #wake(now: number): void {
    this.#lifecycle.wake(now);
    this.#tick(now);
  }

  #handle(message: ServerMessage, now: number): void {
    if (message.type === "welcome") this.#welcomed(message, now);
    else if (message.type === "ping") this.#out.send({ type: "pong" });
    else this.#topics.heard(message, now);
  }

  #welcomed(message: Welcome, now: number): void {
    const { heartbeat, limits } = message;
    this.#lifecycle.begin(heartbeat, now);
    this.#refusal = undefined;
    this.#failures = 0;
    this.#known = true;
    this.#out.limit = limits.message_bytes;
    this.#problem = undefined;
    this.became();
    this.requests.begin(limits.requests);
    this.#topics.welcomed(message);
  }

  /** An answer, or what nobody has asked for: of a form that is open, a verdict may come so. */
  answered(message: Answer | Ephemeral): void {
    if (!("request_id" in message) || (message.type === "validation_result" && !message.request_id))
      return this.#out.tell({ type: "told", message: message as Ephemeral | ValidationResult });
    this.#hold.passed();
    this.requests.answered(message.request_id, message);
  }

  /** An error that is about a question, or about the connection. */
  failed(message: Failure, now: number): void {
    const { request_id: id } = message;
    // Nothing more would come of this connection: `hello` is said once on each.
    if (this.isGreeting && mayPass(message)) return this.giveUp(message, now);
    if (isBusy(message) && this.#isAskedAgain(message, now)) return;
    if (!this.requests.answered(id, undefined, message)) this.complain(message);
  }

  /** Ends a connection of which nothing more would come, because of an error; another one follows. */
  giveUp(message: Failure, now: number): void {
    this.complain(message);
    this.disconnect(NORMAL_CLOSURE);
    this.lost(undefined, now);
  }

  /** The server was too busy. Returns whether that was for a question. */
  #isAskedAgain(message: Failure, now: number): boolean {
    const { request_id: id } = message;
    const isAsked = this.requests.has(id);
    if (!id || isAsked) this.#hold.refused(message, now);
    if (isAsked) this.requests.again(id!);
    return isAsked;
  }

  /** It says why the server closes the connection, if it does next. */
  complain(message: Failure): void {
    this.#problem = message;
    this.#out.tell({ type: "problem", error: message });
  }

  /** A newer server may say more than this client knows: no harm. It is reported once. */
  #note(at: string, what: string): void {
    const message = `the server is newer than this client: ${at}: ${what}`;
    if (this.#noted.has(message) || this.#noted.size >= MOST_NOTED) return;
    this.#noted.add(message);
    this.#out.tell({ type: "problem", error: { code: "not_supported", message, details: null } });
  }

  /** Ends the connection, without waiting for the other side. */
  disconnect(code: number): void {
    this.#out.tell({ type: "disconnect", code });
  }

  #interrupted(): void {
    this.#out.lost();
    this.#hold.until = undefined;
    this.requests.lost();
    this.#topics.lost();
  }

  /** No connection follows any more. */
  end(error: Refusal): void {
    this.#interrupted();
    this.#lifecycle.end("closed");
    this.became(error);
  }

  /** Tells how the connection is. */
  became(error?: Refusal): void {
    const { state } = this;
    error ??= state === "waiting" ? this.#refusal : undefined;
    this.#out.tell({ type: "state", state, error });
  }
}
