/**
 * What is said on a connection: subscriptions, questions, writes.
 *
 * Knows the protocol's messages: what is said again on the next connection,
 * which answer belongs to what. Must not know sockets, clocks, nor when a
 * connection begins or ends: it is told. Times are in milliseconds.
 */
import { RhtmxError } from "./errors.ts";
import { Requests } from "./requests.ts";
import { Stream, Streams } from "./streams.ts";
import { typedError } from "./verdict.ts";
import { checkFromClient } from "./wire/index.ts";
import type { Event } from "./events.ts";
import type * as m from "./messages/types.ts";
import type { Outbox } from "./outbox.ts";
import type { Pushes } from "./pushes.ts";
import type { Question } from "./requests.ts";
import type { Granularity, Log } from "./streams.ts";

/** What the conversation has an answer for; the rest is the session's. */
export type Said = Exclude<m.ServerMessage, m.Welcome | m.Ping | m.Pong>;

type Handlers = {
  readonly [T in Said["type"]]: (message: Extract<Said, { type: T }>, now: number) => void;
};

/** See the head of the file. */
export class Conversation {
  readonly #outbox: Outbox;
  readonly #pushes: Pushes;
  readonly #tell: (event: Event) => void;
  readonly #requests = new Requests();
  readonly #streams = new Streams();
  #connected = false;
  #epoch = "";
  #ids = 0;

  /** @param tell called with everything that happens, in order. */
  constructor(outbox: Outbox, pushes: Pushes, tell: (event: Event) => void) {
    this.#outbox = outbox;
    this.#pushes = pushes;
    this.#tell = tell;
  }

  /** A connection begins, `hello` has been said. */
  begin(): void {
    this.#connected = true;
    for (const stream of this.#streams.all) this.#start(stream);
    for (const [id, question] of this.#requests.begin()) this.#send(id, question);
  }

  /** The server has told its epoch and the last `seq` that it knows. */
  welcomed(epoch: string, lastSeq: number): void {
    this.#epoch = epoch;
    this.#pushes.begin(lastSeq);
  }

  /** The connection ended; another will follow. */
  interrupted(): void {
    this.#connected = false;
    this.#pushes.interrupted();
  }

  /** No connection will follow: everything that waits is refused. */
  end(error: RhtmxError): void {
    this.interrupted();
    for (const id of [...this.#requests.ids, ...this.#pushes.ids]) this.#refuse(id, error);
  }

  /** Starts a live stream, at the next change if `since` is left out. */
  subscribe(granularity: Granularity, entity: string, since?: m.Position): void {
    if (this.#streams.get(granularity, entity)) {
      throw new RhtmxError("not_supported", `there is a subscription to '${entity}' already`);
    }
    // Refuses what cannot be sent while the caller is there to hear of it.
    checkFromClient(subscription(granularity, entity, since));
    const stream = new Stream(granularity, entity, since);
    this.#streams.add(stream);
    if (this.#connected) this.#start(stream);
  }

  /** Ends a live stream. */
  unsubscribe(granularity: Granularity, entity: string): void {
    if (!this.#streams.remove(granularity, entity) || !this.#connected) return;
    const type = granularity === "records" ? "unsubscribe" : "unsubscribe_fields";
    this.#outbox.send({ type, entities: [entity] });
  }

  /** Adds a write; the session sends it. Returns the id of its answer. */
  push(message: m.Push | m.PushFields): string {
    const id = this.#newId();
    this.#pushes.add(id, message);
    return id;
  }

  /** Asks. Returns the id of the answer. */
  ask(question: Question): string {
    const id = this.#newId();
    const checked = checkFromClient({ ...this.#fromPosition(question), request_id: id });
    this.#requests.add(id, checked);
    if (this.#connected) this.#send(id, checked);
    return id;
  }

  /** Sends the writes whose time has come. */
  flush(now: number): void {
    for (const { id, error } of this.#pushes.flush(now)) this.#refuse(id, error);
  }

  /** The server says something. */
  receive(message: Said, now: number): void {
    const handle = this.#handlers[message.type] as (message: Said, now: number) => void;
    handle(message, now);
  }

  readonly #handlers: Handlers = {
    authenticated: (message) => {
      this.#pushes.authenticated();
      this.#answered(message);
    },
    error: (message, now) => this.#failed(typedError(message), now),
    change: ({ change }) => this.#changed("records", change),
    field_change: ({ change }) => this.#changed("fields", change),
    sync_complete: (message) => this.#caughtUp("records", message),
    sync_fields_complete: (message) => this.#caughtUp("fields", message),
    push_ack: (message) => this.#pushed(message),
    field_push_ack: (message) => this.#pushed(message),
    field_conflict: (message) => this.#pushes.conflict(message),
    validation_result: (message) => this.#answered(message),
    form_validation_result: (message) => this.#answered(message),
  };

  #answered(message: Said & { readonly request_id?: string | undefined }): void {
    const id = message.request_id;
    const before = this.#requests.settle(id);
    if (before && id !== undefined) this.#tell({ event: "answered", id, message, before });
  }

  #pushed(message: m.PushAck | m.FieldPushAck): void {
    const settled = this.#pushes.acknowledged(message);
    if (settled) this.#tell({ event: "answered", message, ...settled });
  }

  #failed(error: RhtmxError, now: number): void {
    const id = error.request_id;
    const push = this.#pushes.failed(error, now);
    if (push === "retry") return;
    if (push) this.#refuse(push.id, error);
    else if (id !== undefined && this.#requests.settle(id)) this.#refuse(id, error);
    else this.#tell({ event: "problem", error });
  }

  #changed(granularity: Granularity, log: Log): void {
    this.#requests.receive(granularity, log);
    const stream = this.#streams.get(granularity, log.entity);
    if (!stream) return;
    const before = stream.position;
    if (stream.receive(log, this.#epoch)) this.#deliver(granularity, log);
    const { position } = stream;
    // The two streams of one entity are one on the server: it sends each commit
    // once, in one order. A sync reads beside that and proves nothing.
    if (!stream.live || position === before || this.#requests.syncing(log.entity)) return;
    const other = granularity === "records" ? "fields" : "records";
    if (position) this.#streams.get(other, log.entity)?.advance(position);
  }

  #caughtUp(granularity: Granularity, message: m.SyncComplete | m.SyncFieldsComplete): void {
    if (message.request_id !== undefined) return this.#answered(message);
    const { entity, epoch, version } = message;
    const position = { epoch, version };
    const delivery = this.#streams.get(granularity, entity)?.caughtUp(position, message.reset);
    if (!delivery) return;
    if (delivery.reset) this.#tell({ event: "reset", granularity, entity });
    for (const log of delivery.logs) this.#deliver(granularity, log);
    this.#tell({ event: "synced", granularity, entity, position });
  }

  #deliver(granularity: Granularity, log: Log): void {
    this.#tell({ event: "changed", granularity, log });
  }

  #refuse(id: string, error: RhtmxError): void {
    this.#tell({ event: "refused", id, error });
  }

  #start(stream: Stream): void {
    this.#outbox.send(subscription(stream.granularity, stream.entity, stream.begin()));
  }

  #send(id: string, question: Question): void {
    try {
      this.#outbox.send(question);
    } catch (error) {
      if (!(error instanceof RhtmxError)) throw error;
      this.#requests.settle(id);
      this.#refuse(id, error);
    }
  }

  /** A sync never starts after the stream of the same entity, which would hide a hole in it. */
  #fromPosition(question: Question): Question {
    if (question.type !== "sync" && question.type !== "sync_fields") return question;
    const granularity = question.type === "sync" ? "records" : "fields";
    const position = this.#streams.get(granularity, question.entity)?.position;
    if (!position || position.version >= question.since) return question;
    return { ...question, since: position.version, epoch: position.epoch || undefined };
  }

  #newId(): string {
    this.#ids += 1;
    return `r${this.#ids}`;
  }
}

function subscription(
  granularity: Granularity,
  entity: string,
  since: m.Position | undefined,
): m.Subscribe | m.SubscribeFields {
  const type = granularity === "records" ? "subscribe" : "subscribe_fields";
  return { type, entities: [entity], since: since && { [entity]: since } };
}
