/**
 * The client's side, over as many connections as it takes.
 *
 * Knows what is read, written, and who is where: which part of the client a message concerns, and
 * what is said anew on the next connection. Must not know how connections follow one another (see
 * `conversation.ts`, with its table), nor sockets, clocks, timers or disks: frames and times go
 * in, frames, events and operations come out. Times are in milliseconds of any clock that does
 * not jump.
 */

import type { Answer, Ephemeral, Error as Failure, Welcome } from "../messages/types.ts";
import { ConnectionLifecycle } from "./connection-lifecycle.ts";
import type { ConversationOptions, Topic } from "./conversation.ts";
import { Conversation, NORMAL_CLOSURE } from "./conversation.ts";
import { EarlyNews } from "./early-news.ts";
import { isBusy, mayPass } from "./error-policy.ts";
import type { Input, Output } from "./events.ts";
import { newId, UNKNOWN } from "./identity.ts";
import { TOO_LARGE } from "./outgoing.ts";
import type { Requests } from "./requests.ts";
import { Rooms } from "./rooms.ts";
import { SessionOutput } from "./session-output.ts";
import type { State } from "./storage-ops.ts";
import type { Heard } from "./streams.ts";
import { Streams } from "./streams.ts";
import type { State as Connection } from "./tab-messages.ts";
import { traceparent } from "./traceparent.ts";
import { WriteQueue } from "./write-queue.ts";

/** What a session is made from. */
export interface SessionOptions extends ConversationOptions {
  /** The client's id, if the application gives it: then there is no other. */
  readonly clientId?: string | undefined;
}

/** The client's side of its connections: takes one input after the other, decides, does no I/O. */
export class Session {
  readonly #options: SessionOptions;
  readonly #talk: Conversation;
  readonly #queue: WriteQueue;
  readonly #streams: Streams;
  readonly #news: EarlyNews;
  readonly #requests: Requests;
  readonly rooms: Rooms;
  /** What was under way when a connection ended on a message that was too large. */
  #suspects: string[] = [];
  /** The write that was alone then. */
  #accused = "";
  /** Nothing but writes and questions is under way. */
  #quiet = false;
  readonly #out: SessionOutput;

  /** @param state the memory to work on. */
  constructor(options: SessionOptions, state: State) {
    this.#options = options;
    const lifecycle = new ConnectionLifecycle(options.random);
    this.#out = new SessionOutput(state, options.codec, lifecycle);
    this.#streams = new Streams(this.#out);
    this.#talk = new Conversation(options, lifecycle, this.#out, {
      hello: () => this.#hello(),
      welcomed: (message) => this.#welcomed(message),
      heard: (message, now) => this.#handle(message, now),
      again: () => this.#streams.again(),
      suspect: () => this.#suspect(),
      lost: () => this.#interrupted(),
    });
    this.#requests = this.#talk.requests;
    this.rooms = new Rooms(this.#out, this.#requests);
    this.#queue = new WriteQueue(this.#out, options.random);
    this.#news = new EarlyNews(this.#queue, this.#streams);
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
  step(input: Input, now: number): Output {
    this.#take(input, now);
    this.#news.release();
    if (this.state === "open") {
      const most = this.#most;
      this.#talk.flush(most);
      this.#queue.flush(now, most - this.#requests.asked.size);
    }
    return { ...this.#out.take(now), deadline: this.#deadline };
  }

  get #deadline(): number | undefined {
    const { deadline } = this.#talk;
    return deadline && Math.min(deadline, this.#queue.hold.until ?? deadline);
  }

  #take(input: Input, now: number): void {
    switch (input.type) {
      case "stored":
        return this.#queue.stored(input.ops);
      case "unnumbered":
        return this.#queue.unnumbered(input.id, now);
      case "loaded":
        return this.#queue.loaded();
      case "hello":
        return this.#talk.became();
      case "lost":
        this.#out.tell({ type: "again" });
        return this.#out.tell({ type: "reload" });
      case "hole":
        return this.#out.tell({ type: "reload" });
      case "open":
        return this.#streams.open(input.entity, input.fields, input.tab);
      case "watch":
        return this.#streams.watch(input.entity, input.tab, input.missed);
      case "shut":
      case "unwatch":
        return this.#streams[input.type](input.entity, input.tab);
      case "enter":
        return this.rooms.enter(input.room, input.tab, input.wish, input.asked);
      case "exit":
        return this.rooms.exit(input.room, input.tab);
      case "gone":
        this.#requests.gone(input.tab);
        this.rooms.gone(input.tab);
        return this.#streams.gone(input.tab);
      case "added":
        return this.#queue.added(input.write, !!this.#suspects.length);
      case "offline":
        return this.#talk.offline(input.why, this.#leaving(input.why));
      default:
        this.#talk.take(input, now);
    }
  }

  #hello() {
    const { meta, schema, traceparent: said } = this.#out.state;
    return {
      client_id: meta.client_id,
      epoch: meta.epoch,
      confirmed_seq: this.#queue.confirmed,
      secret: meta.secret || undefined,
      app_schema: schema,
      traceparent: said && traceparent(said),
    };
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

  /** What the server is told of the end of a connection that is not wanted any more. */
  #leaving(why: string): number {
    return why === "page" ? this.rooms.farewell : NORMAL_CLOSURE;
  }

  #handle(message: Topic, now: number): void {
    switch (message.type) {
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
    this.#talk.answered(rest);
  }

  #welcomed(message: Welcome): void {
    const { limits, epoch, secret, app_schema: schema, node } = message;
    const out = this.#out;
    const { meta } = out.state;
    out.epoch = epoch;
    if (meta.epoch !== epoch) out.emit(["epoch", epoch]);
    if (schema && meta.schema?.hash !== schema.hash) out.emit(["schema", schema]);
    if (meta.node !== node) out.emit(["node", node]);
    if (secret) {
      out.emit(["secret", secret]);
      // Who lost it could number no more: it is stored before anything is.
      this.#queue.block();
    }
    this.#streams.begin(limits.subscriptions);
    this.rooms.begin();
    this.#queue.blame(this.#accused, message.last_seq);
    this.#accused = "";
    // Its answer says that all of the above was no trouble.
    if (this.#suspects.length) out.fence();
    this.#queue.begin(message);
  }

  #failed(message: Failure, now: number): void {
    const { seq, request_id: id, code } = message;
    const greets = this.#talk.isGreeting;
    const isTaken = code === "client_id_taken";
    if (greets && isTaken) return this.#taken(message, now);
    // The next `hello` learns that somebody else was faster to number under this id.
    if (greets ? mayPass(message) : seq && isTaken) return this.#talk.giveUp(message, now);
    if (seq) return this.#queue.failed(message, now);
    if (!isBusy(message) && this.#isNotRead(message)) return;
    const question = this.#requests.get(id);
    if (question?.type === "room_join" && !mayPass(message)) this.rooms.refused(question, message);
    this.#talk.failed(message, now);
  }

  /** Whether it is about something that is read: that comes in order with what is told of it. */
  #isNotRead(message: Failure): boolean {
    const about = Object(message.details) as Heard;
    const { entity } = about;
    if (!entity || message.request_id) return false;
    this.#news.heard(about);
    this.#news.came(() => {
      if (!this.#streams.refused(entity, message)) this.#talk.complain(message);
    });
    return true;
  }

  /**
   * The id is another's. One that came with the store, and that no user stands behind,
   * has lost its secret: the client goes on under a new one. What was numbered under the
   * old one may have taken effect; whether to write it again the application decides.
   */
  #taken({ code, message, details = null }: Failure, now: number): void {
    const { token, clientId, random } = this.#options;
    this.#talk.disconnect(NORMAL_CLOSURE);
    if (this.#talk.token || token || clientId) return this.#talk.end({ code, message, details });
    this.#out.emit(["client_id", newId(random)]);
    this.#out.emit(["secret", ""]);
    this.#queue.abandon({ code, message: UNKNOWN, details: null });
    this.#talk.lost(undefined, now);
  }

  #interrupted(): void {
    this.#quiet = false;
    this.#news.lost();
    this.#streams.lost();
    this.#queue.lost();
  }
}
