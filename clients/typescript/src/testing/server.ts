/**
 * A server in the memory of a test, to which real clients connect.
 *
 * Knows the protocol as a server speaks it, as far as tests need it. It is not the real server:
 * see {@link TestServer}.
 */
import { Client } from "../api/client.ts";
import type { ConnectOptions, WebSocketClass } from "../core/options.ts";
import { ERRORS, SCHEMA_HASH } from "../messages/tables.ts";
import type * as m from "../messages/types.ts";
import type { ErrorCode, JsonValue } from "../messages/types.ts";
import {
  type Decided,
  EntityLog,
  Refused,
  timeOf,
  type WriteContext,
  type Written,
} from "./entity-log.ts";
import { type TestForm, validateField, validateForm } from "./forms.ts";
import { MemorySocket, type SocketHost } from "./memory-socket.ts";
import { type Mutation, NumberedWrites } from "./numbered-writes.ts";
import { Subscription } from "./subscription.ts";

/** What a server has. */
export interface ServerOptions {
  /**
   * The entities, each with the records that are there from the start, by id. Others are
   * `unknown_entity` then. Left out: any entity, all of them empty.
   */
  readonly entities?: Readonly<Record<string, Readonly<Record<string, JsonValue>>>> | undefined;
  /** The forms, each with a function for each of its fields. */
  readonly forms?: Readonly<Record<string, TestForm>> | undefined;
  /** Whether a token is good. Left out: nobody is asked for one. */
  readonly authenticate?: ((token: string) => boolean) | undefined;
}

/** Which request is refused: the next one, or the next one that is like this. */
export interface RejectOptions {
  /** What is said; left out, that a test wants it so. */
  readonly message?: string | undefined;
  /** What the code adds, such as the violations of `invalid`. */
  readonly details?: JsonValue | undefined;
  /** Which writes and questions it is about; any, if left out. */
  readonly when?: ((message: m.ClientMessage) => boolean) | undefined;
}

/** One connection. */
interface Peer {
  readonly socket: MemorySocket;
  readonly subscriptions: Map<string, Subscription>;
  id: string;
  secret: string | undefined;
  isKnown: boolean;
}

/** A request that is to be refused. */
interface Rejection extends RejectOptions {
  readonly code: ErrorCode;
}

const HEARTBEAT = 20_000;
const LIMITS = { message_bytes: 1_048_576, subscriptions: 128, requests: 64 } as const;
const WRITES = ["push", "push_fields", "transaction"];
const QUESTIONS = ["validate_field", "validate_form", "sync", "sync_fields", "authenticate"];
/** Turns of the event loop in which nothing happens: then nothing more will. */
const QUIET_TURNS = 5;

// Fake timers may take their places later.
const { setTimeout } = globalThis;

/**
 * A server in the memory of a test. Made by {@link createServer}.
 *
 * What it does as the real one does, and is compared with it by tests: whole records and fields,
 * merged by `last_write_wins`, with their conflicts; numbered writes, each once; transactions;
 * subscriptions and syncs, of an entity or a part of it, which resume from a position.
 *
 * What it does not: access, merge strategies other than that, schemas, checks, limits, history,
 * blame, the log of open conflicts, and what `remove` and `deleteKey` had not seen. A request for
 * history or blame is `not_supported`.
 */
export class TestServer {
  /** The class of its WebSockets, for `connect(url, { WebSocket: server.WebSocket })`. */
  readonly WebSocket: WebSocketClass;
  /** What clients have said, but for signs of life. A test may empty it. */
  readonly received: m.ClientMessage[] = [];
  readonly #options: ServerOptions;
  readonly #logs = new Map<string, EntityLog>();
  readonly #peers = new Map<MemorySocket, Peer>();
  readonly #writes = new NumberedWrites();
  readonly #clients: Client[] = [];
  readonly #rejections: Rejection[] = [];
  readonly #epoch = "test";
  #isUp = true;
  #losing = false;
  #activity = 0;
  #asked = 0;
  #transactions = 0;
  #sessions = 0;
  #last = 0;

  /** @internal `createServer` makes it. */
  constructor(options: ServerOptions) {
    this.#options = options;
    const server = this;
    const host: SocketHost = {
      get isUp() {
        return server.#isUp;
      },
      opened: (socket) => this.#opened(socket),
      heard: (socket, message) => this.#heard(this.#peers.get(socket)!, message as m.ClientMessage),
      gone: (socket) => this.#peers.delete(socket),
      busy: () => {
        this.#activity += 1;
      },
    };
    this.WebSocket = class extends MemorySocket {
      constructor(_url: string, protocols: string[]) {
        super(host, protocols);
      }
    };
    for (const [entity, records] of Object.entries(options.entities ?? {})) {
      this.#log(entity);
      for (const [id, data] of Object.entries(records)) this.set(entity, id, data);
    }
  }

  /**
   * A real client of this server, which keeps all in memory; `close` ends it.
   *
   * @param options as for `connect`.
   */
  connect(options: ConnectOptions = {}): Client {
    const own = { storage: false, ...options, WebSocket: this.WebSocket } as const;
    const client = new Client("ws://server.test/api/ws", own);
    this.#clients.push(client);
    return client;
  }

  // What is there, and what others write.

  /** The records of an entity, by id. */
  records<T = JsonValue>(entity: string): { [id: string]: T } {
    const rows = [...(this.#logs.get(entity)?.rows ?? [])];
    const live = rows.filter(([, { data }]) => data !== undefined);
    return Object.fromEntries(live.map(([id, { data }]) => [id, structuredClone(data) as T]));
  }

  /** Somebody else writes a whole record. */
  set(entity: string, id: string, data: JsonValue): void {
    this.#otherwise({ type: "push", entity, entity_id: id, action: "update", data });
  }

  /** Somebody else writes some fields of a record. */
  patch(entity: string, id: string, fields: Readonly<Record<string, JsonValue>>): void {
    const timestamp = timeOf(this.#now());
    const updates = Object.entries(fields).map(([field, value]) => {
      return { field, value, action: "update", timestamp } as const;
    });
    this.#otherwise({ type: "push_fields", entity, entity_id: id, fields: updates });
  }

  /** Somebody else deletes a record. */
  delete(entity: string, id: string): void {
    this.#otherwise({ type: "push", entity, entity_id: id, action: "delete", data: null });
  }

  // What goes wrong.

  /**
   * Refuses the next write or question.
   *
   * @param code why; of one that is `retryable` the client tries again.
   */
  reject(code: ErrorCode, options: RejectOptions = {}): void {
    this.#rejections.push({ code, ...options });
  }

  /** Cuts all connections without a word, as when a cable is pulled, and takes none until `online`. */
  offline(): void {
    this.#isUp = false;
    this.drop();
  }

  /** Takes connections again; the clients of `connect` try at once. */
  online(): void {
    this.#isUp = true;
    // Soon: those that were cut in this very moment have not heard of it.
    const tell = () => {
      for (const client of this.#clients) if (client.state !== "closed") client.online();
    };
    this.#activity += 1;
    void Promise.resolve().then(tell);
  }

  /** Cuts all connections without a word; clients connect again when their time has come. */
  drop(): void {
    for (const socket of this.#peers.keys()) socket.cut();
  }

  /**
   * Cuts the next connection on which something is to be answered, in the place of the answer. So
   * a write takes effect, and its author does not hear of it.
   */
  dropAtAnswer(): void {
    this.#losing = true;
  }

  /** Ends all connections with the close code of an error, such as `shutting_down`. */
  close(code: ErrorCode): void {
    for (const socket of this.#peers.keys()) socket.ends(ERRORS[code].close || 4_400);
  }

  /**
   * Waits until nothing is under way any more: messages have arrived, and functions of forms have
   * answered. What waits for a timer is not waited for: move that, if timers are fake.
   */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      const before = this.#activity;
      await new Promise<void>((go) => setTimeout(go));
      quiet = this.#activity === before && !this.#asked ? quiet + 1 : 0;
    }
  }

  // What clients say.

  #opened(socket: MemorySocket): void {
    const common = { id: "", secret: undefined, isKnown: !this.#options.authenticate };
    this.#peers.set(socket, { socket, subscriptions: new Map(), ...common });
  }

  #heard(peer: Peer, message: m.ClientMessage): void {
    if (message.type === "ping" || message.type === "pong") {
      if (message.type === "ping") peer.socket.says({ type: "pong" });
      return;
    }
    this.received.push(message);
    try {
      if (!peer.isKnown && message.type !== "hello") {
        throw new Refused("unauthenticated", "say hello with a token first");
      }
      this.#answer(peer, message);
    } catch (error) {
      this.#refuse(peer, message, error);
    }
  }

  #answer(peer: Peer, message: m.ClientMessage): void {
    const rejection = this.#rejectionOf(message);
    if (rejection && !WRITES.includes(message.type)) throw rejection;
    switch (message.type) {
      case "hello":
        return this.#welcome(peer, message);
      case "push":
      case "push_fields":
      case "transaction":
        return this.#write(peer, message, rejection);
      case "subscribe":
      case "subscribe_fields":
        for (const entity of message.entities) this.#subscribe(peer, message, entity);
        return;
      case "unsubscribe":
      case "unsubscribe_fields":
        for (const entity of message.entities) {
          const fields = message.type === "unsubscribe_fields";
          peer.subscriptions.delete(Subscription.key(entity, fields, whereOf(message, entity)));
        }
        return;
      case "sync":
      case "sync_fields":
        return this.#sync(peer, message);
      case "authenticate":
        this.#checkToken(message.token);
        return this.#say(peer, [{ type: "authenticated", request_id: message.request_id }]);
      case "validate_field":
        return this.#ask(peer, message, validateField(this.#options.forms ?? {}, message));
      case "validate_form":
        return this.#ask(peer, message, validateForm(this.#options.forms ?? {}, message));
      default:
        throw new Refused("not_supported", `the server for tests knows no '${message.type}'`);
    }
  }

  #welcome(peer: Peer, hello: m.Hello): void {
    if (this.#options.authenticate) this.#checkToken(hello.token);
    const last_seq = this.#writes.hello(hello);
    this.#sessions += 1;
    const given = this.#options.authenticate || hello.secret ? undefined : `s${this.#sessions}`;
    Object.assign(peer, {
      id: hello.client_id ?? "",
      secret: hello.secret ?? given,
      isKnown: true,
    });
    const welcome = {
      type: "welcome",
      session_id: `${this.#sessions}`,
      epoch: this.#epoch,
      last_seq,
      heartbeat: HEARTBEAT,
      limits: LIMITS,
      server_time: timeOf(this.#now()),
      schema: SCHEMA_HASH,
      secret: given,
    } as const;
    this.#say(peer, [welcome]);
  }

  #checkToken(token = ""): void {
    if (this.#options.authenticate?.(token)) return;
    throw new Refused("unauthenticated", "the test's authenticate does not take the token");
  }

  #subscribe(peer: Peer, message: m.Subscribe | m.SubscribeFields, entity: string): void {
    const [fields, where] = [message.type === "subscribe_fields", whereOf(message, entity)];
    const subscription = new Subscription(this.#log(entity), fields, where);
    peer.subscriptions.set(Subscription.key(entity, fields, where), subscription);
    this.#say(peer, subscription.catchUp(this.#epoch, message.since?.[entity]));
  }

  #sync(peer: Peer, message: m.Sync | m.SyncFields): void {
    const { entity, since: version, epoch = this.#epoch, scope, request_id, where } = message;
    const part = new Subscription(this.#log(entity), message.type === "sync_fields", where);
    this.#say(peer, part.catchUp(this.#epoch, { epoch, version, scope }, request_id ?? ""));
  }

  #ask(peer: Peer, message: m.Question, answer: Promise<m.ServerMessage>): void {
    this.#asked += 1;
    answer
      .then(
        (found) => this.#say(peer, [found]),
        (error) => this.#refuse(peer, message, error),
      )
      .finally(() => {
        this.#asked -= 1;
      });
  }

  // Writes.

  #write(peer: Peer, message: Mutation, rejection: Refused | undefined): void {
    const known = this.#writes.known(peer.id, message);
    if (known) return this.#say(peer, known);
    if (rejection && ERRORS[rejection.code].retryable) throw rejection;
    const [reply, written] = this.#decide(message, peer.id, rejection);
    this.#writes.answered(peer.id, peer.secret, message, reply);
    this.#say(peer, reply);
    this.#deliver(written, message.type === "transaction" ? transactionOf(reply) : undefined);
  }

  /** What is answered, and what was written; a write that is rejected uses its number up, too. */
  #decide(
    message: Mutation,
    by: string,
    rejection: Refused | undefined,
  ): [reply: readonly m.ServerMessage[], written: readonly Written[]] {
    const before = new Map([...this.#logs.values()].map((log) => [log, { ...log }]));
    try {
      if (rejection) throw rejection;
      const context = { now: this.#now(), by, epoch: this.#epoch };
      if (message.type === "transaction") return this.#together(message, context);
      const { reply, written } = this.#decideOne(message, context);
      return [reply, written ? [written] : []];
    } catch (error) {
      for (const log of this.#logs.values()) {
        Object.assign(log, before.get(log) ?? new EntityLog(log.entity));
      }
      return [[errorOf(error, message)], []];
    }
  }

  #decideOne(message: m.Push | m.PushFields, context: WriteContext): Decided {
    const log = this.#log(message.entity);
    return message.type === "push" ? log.push(message, context) : log.pushFields(message, context);
  }

  #together(
    { writes, request_id, seq }: m.Transaction,
    context: WriteContext,
  ): [m.ServerMessage[], Written[]] {
    const [conflicts, all, results]: [m.ServerMessage[], Written[], m.WriteResult[]] = [[], [], []];
    const faults: [index: number, fault: Refused][] = [];
    for (const [index, each] of writes.entries()) {
      try {
        const { reply, written } = this.#decideOne(asMutation(each, seq), context);
        const { entity, entity_id, version, ...ack } = reply.at(-1) as m.FieldPushAck;
        const { applied = 0, conflicts: count = 0, clamped } = ack;
        results.push({ entity, entity_id, version, applied, conflicts: count, clamped });
        conflicts.push(...reply.slice(0, -1));
        if (written) all.push(written);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        faults.push([index, error]);
      }
    }
    if (faults.length) throw rejected(faults);
    // A real one writes down what is in conflict: that is a write of the transaction, too.
    const isWritten = all.length || conflicts.length;
    this.#transactions += isWritten && 1;
    const transaction = isWritten ? `transaction-${this.#transactions}` : "";
    const { epoch, now } = context;
    const about = { request_id, seq, epoch, server_time: timeOf(now) };
    return [[...conflicts, { type: "transaction_ack", transaction, results, ...about }], all];
  }

  /** Tells all who read what was written. */
  #deliver(written: readonly Written[], transaction?: string): void {
    for (const peer of this.#peers.values()) {
      const subscriptions = [...peer.subscriptions.values()];
      const told = written.flatMap((each) => Subscription.told(subscriptions, each));
      if (!transaction) this.#say(peer, told, false);
      else if (told.length) {
        const changes = told.map((each) => ({
          ...each,
          change: { ...(each as m.Change).change, transaction },
        }));
        const end = { type: "transaction_complete", transaction } as const;
        this.#say(peer, [...(changes as m.Change[]), end], false);
      }
    }
  }

  /** Somebody else writes. */
  #otherwise(message: m.Push | m.PushFields): void {
    const context = { now: this.#now(), by: "", epoch: this.#epoch };
    // A copy, as over a wire: what a test does with its own values later is nobody's here.
    const { written } = this.#decideOne(structuredClone(message), context);
    if (written) this.#deliver([written]);
  }

  // Inside.

  #log(entity: string): EntityLog {
    const known = this.#logs.get(entity);
    if (known) return known;
    const { entities } = this.#options;
    if (entity.startsWith("$")) {
      throw new Refused("not_supported", "the server for tests keeps no log of conflicts");
    }
    if (entities && !(entity in entities)) {
      throw new Refused("unknown_entity", `no entity '${entity}': give it to createServer`);
    }
    const log = new EntityLog(entity);
    this.#logs.set(entity, log);
    return log;
  }

  #rejectionOf(message: m.ClientMessage): Refused | undefined {
    if (!WRITES.includes(message.type) && !QUESTIONS.includes(message.type)) return undefined;
    const at = this.#rejections.findIndex(({ when }) => !when || when(message));
    const [rejection] = at < 0 ? [] : this.#rejections.splice(at, 1);
    if (!rejection) return undefined;
    const { code, message: words = "the test refuses it", details = null } = rejection;
    return new Refused(code, words, details);
  }

  #refuse(peer: Peer, message: m.ClientMessage, error: unknown): void {
    this.#say(peer, [errorOf(error, message)]);
    const close = error instanceof Refused && ERRORS[error.code].close;
    const ends = message.type === "hello" || !peer.isKnown;
    if (close && ends) peer.socket.ends(close);
  }

  #say(peer: Peer, messages: readonly m.ServerMessage[], isAnswer = true): void {
    if (isAnswer && this.#losing && messages.length && messages[0]!.type !== "welcome") {
      this.#losing = false;
      peer.socket.cut();
      return;
    }
    for (const each of messages) peer.socket.says(each);
  }

  /** Microseconds since 1970, never twice the same. */
  #now(): number {
    this.#last = Math.max(Date.now() * 1_000, this.#last + 1);
    return this.#last;
  }
}

/**
 * A server in the memory of a test, to which real clients connect: no network, no process, and no
 * time of its own, so that timers may be fake.
 *
 * @example
 * const server = createServer({ entities: { tasks: { "1": { title: "Test it" } } } });
 * const client = server.connect();
 * const tasks = client.collection<{ title: string }>("tasks");
 * await tasks.synced;
 * tasks.row("1")?.data.title; // "Test it"
 */
export function createServer(options: ServerOptions = {}): TestServer {
  return new TestServer(options);
}

function whereOf(message: { where?: JsonValue | undefined }, entity: string) {
  return (message.where as Record<string, JsonValue> | undefined)?.[entity];
}

/** One write of a transaction as a mutation of its own. */
function asMutation(write: m.TransactionWrite, seq: number | undefined): m.Push | m.PushFields {
  const { action = "update", data = null, fields } = write;
  if (fields) return { type: "push_fields", ...write, fields, seq };
  return { type: "push", ...write, action, data, seq };
}

/** What a whole transaction is refused with: by its first fault, and all of them are told. */
function rejected(faults: readonly [index: number, fault: Refused][]): Refused {
  const writes = faults.map(([index, { code, message, details }]) => {
    return { index, code, message, ...(details !== null && { details }) };
  });
  const [index, { code, message }] = faults[0]!;
  return new Refused(code, `transaction.writes[${index}]: ${message}`, { writes });
}

function transactionOf(reply: readonly m.ServerMessage[]): string | undefined {
  const last = reply.at(-1);
  return last?.type === "transaction_ack" ? last.transaction : undefined;
}

/** What is told of a failure; one of a test's own function is the test's own, too. */
function errorOf(error: unknown, message: m.ClientMessage): m.Error {
  const { request_id, seq } = message as m.Push;
  const about = { request_id, seq };
  if (!(error instanceof Refused)) {
    return { type: "error", message: String(error), code: "internal", details: null, ...about };
  }
  const { code, details } = error;
  const { entities } = message as m.Subscribe;
  const entity = entities?.length === 1 ? { entity: entities[0]! } : null;
  const retryable = ERRORS[code].retryable || undefined;
  return {
    type: "error",
    message: error.message,
    code,
    details: details ?? entity,
    retryable,
    ...about,
  };
}
