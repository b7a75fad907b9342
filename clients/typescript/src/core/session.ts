/**
 * The client's side, over as many connections as it takes.
 *
 * Knows the protocol: what is said on every connection, which answer belongs to
 * what, how connections follow one another, and that what cannot be understood
 * ends them. Must not know sockets, clocks, timers or disks: frames and times go
 * in, frames, events and operations come out. Times are in milliseconds of any
 * clock that does not jump.
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
  ServerMessage,
  ValidationResult,
  Welcome,
} from "../messages/types.ts";
import type { Format } from "../wire/index.ts";
import { decodeFromServer } from "../wire/index.ts";
import { ConnectionLifecycle } from "./connection-lifecycle.ts";
import { EarlyNews } from "./early-news.ts";
import { finalError, isBusy, isTooLarge, mayPass, shouldReconnect } from "./error-policy.ts";
import type { Input, Output } from "./events.ts";
import { asks } from "./handshake-failure.ts";
import { newId, UNKNOWN } from "./identity.ts";
import { Requests } from "./requests.ts";
import { RetryAfter } from "./retry-after.ts";
import { Rooms } from "./rooms.ts";
import { SessionOutput, TOO_LARGE } from "./session-output.ts";
import type { State } from "./storage-ops.ts";
import type { Heard } from "./streams.ts";
import { Streams } from "./streams.ts";
import type { State as Connection, TabMessage } from "./tab-messages.ts";
import { traceparent } from "./traceparent.ts";
import { WriteQueue } from "./write-queue.ts";

/** What a session is made from. */
export interface SessionOptions {
  readonly format: Format;
  /** A number from 0 to 1, 1 excluded, each time it is called. */
  readonly random: () => number;
  /** A token, or what gets a fresh one for each connection: then one that expired ends nothing. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** The client's id, if the application gives it: then there is no other. */
  readonly clientId?: string | undefined;
}

const NORMAL_CLOSURE = 1000;
/** So many unknown words are reported: they come from outside, without end. */
const MOST_NOTED = 100;

/** The client's side of its connections: takes one input after the other, decides, does no I/O. */
export class Session {
  readonly #options: SessionOptions;
  readonly #lifecycle: ConnectionLifecycle;
  readonly #queue: WriteQueue;
  readonly #streams: Streams;
  readonly #news: EarlyNews;
  readonly #requests: Requests;
  readonly rooms: Rooms;
  /** The wait after a question or a subscription for which the server was too busy. */
  readonly #hold: RetryAfter;
  /** What was under way when a connection ended on a message that was too large. */
  #suspects: string[] = [];
  /** The write that was alone then. */
  #accused = "";
  /** Nothing but writes and questions is under way. */
  #quiet = false;
  readonly #out: SessionOutput;
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

  /** @param state the memory to work on. */
  constructor(options: SessionOptions, state: State) {
    this.#options = options;
    if (typeof options.token === "string") this.token = options.token;
    this.#lifecycle = new ConnectionLifecycle(options.random);
    this.#out = new SessionOutput(state, options.format, this.#lifecycle);
    this.#streams = new Streams(this.#out);
    this.#requests = new Requests(this.#out);
    this.rooms = new Rooms(this.#out, this.#requests);
    this.#hold = new RetryAfter(options.random);
    this.#queue = new WriteQueue(this.#out, options.random);
    this.#news = new EarlyNews(this.#queue, this.#streams);
  }

  /** Whether there is a connection, and whether there will be one. */
  get state(): Connection {
    const { phase } = this.#lifecycle;
    return phase === "greeting" ? "connecting" : phase;
  }

  /** Takes what has happened at a time, and returns what comes of it. */
  step(input: Input, now: number): Output {
    this.#take(input, now);
    this.#news.release();
    if (this.state === "open") {
      const most = this.#most;
      if (this.#hold.until === undefined) this.#requests.flush(most);
      this.#queue.flush(now, most - this.#requests.asked.size);
    }
    const output = this.#out.take();
    if (output.frames.length) this.#lifecycle.sent(now);
    return { ...output, deadline: this.#deadline };
  }

  get #deadline(): number | undefined {
    const { deadline } = this.#lifecycle;
    const [writes, rest] = [this.#queue.hold.until, this.#hold.until];
    return deadline && Math.min(deadline, writes ?? deadline, rest ?? deadline);
  }

  #take(input: Input, now: number): void {
    switch (input.type) {
      case "tick":
        return this.#tick(now);
      case "opened":
        return this.#opened(now);
      case "frame":
        return this.#received(input.data, now);
      case "ended":
        return this.#lost(input.code, now, input.why);
      case "explained":
        return this.#explained(input.why);
      case "stored":
        return this.#queue.stored(input.ops);
      case "unnumbered":
        return this.#queue.unnumbered(input.id, now);
      case "loaded":
        return this.#queue.loaded();
      default:
        this.#told(input, now);
    }
  }

  #tick(now: number): void {
    if (this.#hold.tick(now)) this.#streams.again();
    const due = this.#lifecycle.tick(now);
    if (due === "connect") {
      this.#became();
      this.#out.tell({ type: "connect" });
    } else if (due === "ping") this.#out.fence();
    else if (due) {
      this.#disconnect(ERRORS.stalled.close);
      this.#lost(undefined, now);
    }
  }

  #opened(now: number): void {
    const { meta, schema, traceparent: said } = this.#out.state;
    this.#lifecycle.opened(now);
    // This server may have another one.
    this.#out.limit = Infinity;
    this.#out.send({
      type: "hello",
      client_id: meta.client_id,
      token: this.token,
      schema: SCHEMA_HASH,
      epoch: meta.epoch,
      confirmed_seq: this.#queue.confirmed,
      secret: meta.secret || undefined,
      app_schema: schema,
      traceparent: said && traceparent(said),
    });
  }

  #received(data: string | Uint8Array, now: number): void {
    if (!this.#lifecycle.canSend) return;
    this.#lifecycle.received(now);
    try {
      const message = decodeFromServer(data, this.#options.format, (...said) =>
        this.#note(...said),
      );
      if (message) this.#handle(message, now);
    } catch (error) {
      // To go on would leave a hole that nobody sees.
      this.#disconnect(ERRORS.bad_message.close);
      return this.#end(plain(error));
    }
  }

  /** @param why there is no connection, if that is known. */
  #lost(code: number | undefined, now: number, why?: Refusal): void {
    if (this.state === "closed" || this.state === "offline") return;
    const renewable = typeof this.#options.token === "function";
    const expired = renewable && code === ERRORS.unauthenticated.close;
    const goesOn = expired || (isTooLarge(code) && this.#suspect());
    if (code !== undefined && !goesOn && !shouldReconnect(code)) {
      this.#end(finalError(code, this.#problem));
      return;
    }
    if (why) this.#refusal = why;
    else if (code !== undefined && this.#lifecycle.phase === "connecting") {
      const times = ++this.#failures;
      if (asks(times, this.#known)) this.#out.tell({ type: "explain", times });
    }
    this.#interrupted();
    this.#lifecycle.lost(now, this.#problem?.retry_after);
    this.#became();
  }

  #explained(why: Refusal): void {
    if (this.state !== "waiting" && this.state !== "connecting") return;
    this.#refusal = why;
    this.#became();
  }

  #told(message: TabMessage, now: number): void {
    switch (message.type) {
      case "hello":
        return this.#became();
      case "lost":
        this.#out.tell({ type: "again" });
        return this.#out.tell({ type: "reload" });
      case "hole":
        return this.#out.tell({ type: "reload" });
      case "open":
        return this.#streams.open(message.entity, message.fields, message.tab);
      case "watch":
        return this.#streams.watch(message.entity, message.tab, message.missed);
      case "shut":
      case "unwatch":
        return this.#streams[message.type](message.entity, message.tab);
      case "enter":
        return this.rooms.enter(message.room, message.tab, message.wish, message.asked);
      case "exit":
        return this.rooms.exit(message.room, message.tab);
      case "gone":
        this.#requests.gone(message.tab);
        this.rooms.gone(message.tab);
        return this.#streams.gone(message.tab);
      case "added":
        return this.#queue.added(message.write, !!this.#suspects.length);
      case "ask":
        if (message.question.type === "authenticate") this.token = message.question.token;
        return this.#requests.add(message.id, message.question);
      case "tell":
        try {
          return this.#out.send(message.message);
        } catch (error) {
          return this.#out.tell({ type: "problem", error: plain(error) });
        }
      case "offline":
        return this.#offline(message.why);
      case "online":
        return this.#online(message.why, now);
      case "wake":
        return this.#wake(now);
    }
  }

  /**
   * A connection ended on a message that was too large for somebody. What was under
   * way is sent one at a time until all of it is answered; what is alone when that
   * happens is it, and rejected. Returns whether there was anything.
   */
  #suspect(): boolean {
    const questions = [...this.#requests.asked];
    const sent = this.state === "open" ? [...questions, ...this.#queue.sent] : [];
    if (!this.#quiet || !this.#suspects.length || sent.length > 1) this.#suspects = sent;
    else if (questions[0]) this.#requests.answered(questions[0], undefined, TOO_LARGE);
    else this.#accused = sent[0] ?? "";
    return sent.length > 0;
  }

  /** How many messages may be under way with what is. */
  get #most(): number {
    if (!this.#suspects.length) return Infinity;
    const { writes } = this.#out.state;
    this.#suspects = this.#suspects.filter(
      (id) => this.#requests.has(id) || (writes.has(id) && !writes.get(id)!.settled),
    );
    if (!this.#suspects.length) return Infinity;
    return this.#quiet && !this.#requests.asked.size && !this.#queue.sent.length ? 1 : 0;
  }

  #offline(why: string): void {
    if (this.state === "closed") return;
    this.#against.add(why);
    this.#disconnect(why === "page" ? this.rooms.farewell : NORMAL_CLOSURE);
    this.#interrupted();
    this.#lifecycle.end("offline");
    this.#became();
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
    switch (message.type) {
      case "welcome":
        return this.#welcomed(message, now);
      case "ping":
        return this.#out.send({ type: "pong" });
      case "pong": {
        const act = this.#out.passed();
        if (act) this.#news.came(act);
        return void (this.#quiet = true);
      }
      case "change":
      case "field_change":
        return this.#news.came(() => this.#streams.changed(message.change), message.change);
      case "sync_begin":
        if (message.since !== undefined) return this.#streams.fellBehind(message);
        this.#news.heard(message); // it comes anew: nobody waits for that
        return this.#news.came(() => this.#streams.began(message), message);
      case "transaction_complete":
        return this.#news.completed(message.transaction);
      case "sync_complete":
      case "sync_fields_complete":
        this.#news.heard(message);
        return this.#news.came(() => this.#streams.synced(message), message, true);
      case "push_ack":
      case "field_push_ack":
      case "transaction_ack":
        return this.#queue.answered(message, this.#streams);
      case "field_conflict":
        return this.#queue.conflict(message);
      case "error":
        return this.#failed(message, now);
      case "authenticated":
        this.#queue.authenticated();
    }
    if (message.type === "room_joined") this.rooms.joined(message);
    if (message.type === "room_members" || message.type === "room_closed") this.rooms.told(message);
    // The schema says which of the rest are answers; `tsc` tells where it says nothing.
    const rest: Answer | Ephemeral = message;
    // Of a form that is open, a verdict may come unasked.
    if (!("request_id" in rest) || (rest.type === "validation_result" && !rest.request_id))
      return this.#out.tell({ type: "told", message: rest as Ephemeral | ValidationResult });
    this.#hold.passed();
    this.#requests.answered(rest.request_id, rest);
  }

  #welcomed(message: Welcome, now: number): void {
    const { heartbeat, limits, epoch, secret, app_schema: schema, node } = message;
    const out = this.#out;
    const { meta } = out.state;
    this.#lifecycle.begin(heartbeat, now);
    this.#refusal = undefined;
    this.#failures = 0;
    this.#known = true;
    out.limit = limits.message_bytes;
    this.#problem = undefined;
    out.epoch = epoch;
    if (meta.epoch !== epoch) out.emit(["epoch", epoch]);
    if (schema && meta.schema?.hash !== schema.hash) out.emit(["schema", schema]);
    if (meta.node !== node) out.emit(["node", node]);
    if (secret) {
      out.emit(["secret", secret]);
      // Who lost it could number no more: it is stored before anything is.
      this.#queue.block();
    }
    this.#became();
    this.#streams.begin(limits.subscriptions);
    this.#requests.begin(limits.requests);
    this.rooms.begin();
    this.#queue.blame(this.#accused, message.last_seq);
    this.#accused = "";
    // Its answer says that all of the above was no trouble.
    if (this.#suspects.length) out.fence();
    this.#queue.begin(message);
  }

  #failed(message: Failure, now: number): void {
    const { seq, request_id: id } = message;
    const greets = this.#lifecycle.phase === "greeting";
    if (greets && message.code === "client_id_taken") return this.#taken(message, now);
    // Nothing more would come of this connection: `hello` is said once on each, and the next
    // one learns that somebody else was faster to number under this id.
    if (greets ? mayPass(message) : seq && message.code === "client_id_taken") {
      this.#complain(message);
      this.#disconnect(NORMAL_CLOSURE);
      return this.#lost(undefined, now);
    }
    if (seq) return this.#queue.failed(message, now);
    if (isBusy(message) ? this.#isAskedAgain(message, now) : this.#isNotRead(message)) return;
    const question = this.#requests.get(id);
    if (question?.type === "room_join" && !mayPass(message)) this.rooms.refused(question, message);
    if (!this.#requests.answered(id, undefined, message)) this.#complain(message);
  }

  /** The server was too busy. Returns whether that was for a question. */
  #isAskedAgain(message: Failure, now: number): boolean {
    const { request_id: id } = message;
    const isAsked = this.#requests.has(id);
    if (!id || isAsked) this.#hold.refused(message, now);
    if (isAsked) this.#requests.again(id!);
    return isAsked;
  }

  /** Whether it is about something that is read: that comes in order with what is told of it. */
  #isNotRead(message: Failure): boolean {
    const about = Object(message.details) as Heard;
    const { entity } = about;
    if (!entity || message.request_id) return false;
    this.#news.heard(about);
    this.#news.came(() => {
      if (!this.#streams.refused(entity, message)) this.#complain(message);
    });
    return true;
  }

  /** It says why the server closes the connection, if it does next. */
  #complain(message: Failure): void {
    this.#problem = message;
    this.#out.tell({ type: "problem", error: message });
  }

  /**
   * The id is another's. One that came with the store, and that no user stands behind,
   * has lost its secret: the client goes on under a new one. What was numbered under the
   * old one may have taken effect; whether to write it again the application decides.
   */
  #taken({ code, message, details = null }: Failure, now: number): void {
    const { token, clientId, random } = this.#options;
    this.#disconnect(NORMAL_CLOSURE);
    if (this.token || token || clientId) return this.#end({ code, message, details });
    this.#out.emit(["client_id", newId(random)]);
    this.#out.emit(["secret", ""]);
    this.#queue.abandon({ code, message: UNKNOWN, details: null });
    this.#lost(undefined, now);
  }

  /** A newer server may say more than this client knows: no harm. It is reported once. */
  #note(at: string, what: string): void {
    const message = `the server is newer than this client: ${at}: ${what}`;
    if (this.#noted.has(message) || this.#noted.size >= MOST_NOTED) return;
    this.#noted.add(message);
    this.#out.tell({ type: "problem", error: { code: "not_supported", message, details: null } });
  }

  #disconnect(code: number): void {
    this.#out.tell({ type: "disconnect", code });
  }

  #interrupted(): void {
    this.#out.lost();
    this.#quiet = false;
    this.#hold.until = undefined;
    this.#requests.lost();
    this.#news.lost();
    this.#streams.lost();
    this.#queue.lost();
  }

  #end(error: Refusal): void {
    this.#interrupted();
    this.#lifecycle.end("closed");
    this.#became(error);
  }

  #became(error?: Refusal): void {
    const { state } = this;
    error ??= state === "waiting" ? this.#refusal : undefined;
    this.#out.tell({ type: "state", state, error });
  }
}
