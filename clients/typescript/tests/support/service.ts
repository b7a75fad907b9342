/**
 * A server of several connections, small enough to be obviously right: one
 * entity, by record, and the writes of each client, numbered, taken once.
 */

import type {
  ChangeLog,
  Hello,
  JsonValue,
  Message,
  Push,
  ServerMessage,
} from "../../src/messages/types.ts";
import type { FakeWebSocket } from "./sockets.ts";
import { WELCOME } from "./welcome.ts";

const TIME = "2026-11-22T10:00:00Z";

/** What is known of a client. */
interface Known {
  /** The version of each of its numbered writes. */
  readonly versions: readonly number[];
  /** What its id is bound to, once it has numbered a write. */
  readonly secret: string;
  /** It has stored the answers up to this number: they are forgotten. */
  readonly confirmed: number;
}

const STRANGER: Known = { versions: [], secret: "", confirmed: 0 };

export class Service {
  /** Every write that took effect, in order: its data. */
  effects: string[] = [];
  records = new Map<string, ChangeLog>();
  /** What took effect and was undone by a restore. */
  readonly undone = new Set<string>();
  /** The codes of what was refused. */
  readonly refusals: string[] = [];
  readonly #live = new Set<FakeWebSocket>();
  #epoch: string = WELCOME.epoch;
  #clients = new Map<string, Known>();
  /** Who each connection is, and what secret it has presented, or was given. */
  readonly #rights = new Map<FakeWebSocket, readonly [id: string, secret: string]>();
  #backup = () => {};

  constructor() {
    this.backUp();
  }

  /** What is shown once everything has arrived. */
  get shown(): [id: string, data: JsonValue][] {
    const all = [...this.records.values()].map((each): [string, JsonValue] => [
      each.entity_id,
      each.data ?? null,
    ]);
    return all.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** A connection said something. */
  hear(socket: FakeWebSocket, message: Message): void {
    const say = (...messages: ServerMessage[]) => {
      for (const each of messages) if (each.type === "error") this.refusals.push(each.code!);
      socket.says(...messages);
    };
    if (message.type === "hello") say(this.#welcome(socket, message));
    else if (message.type === "ping") say({ type: "pong" });
    else if (message.type === "push") say(...this.#push(message, ...this.#rights.get(socket)!));
    else if (message.type === "subscribe" && message.entities.includes("tasks")) {
      const position = message.since?.tasks;
      const known = position?.epoch === this.#epoch && position.version <= this.effects.length;
      const since = known ? position.version : 0;
      const missed = [...this.records.values()].filter((each) => each.version > since);
      missed.sort((a, b) => a.version - b.version);
      say(...missed.map((change) => ({ type: "change", change }) as const));
      const place = { entity: "tasks", epoch: this.#epoch, version: this.effects.length };
      say({ type: "sync_complete", ...place, reset: !known && position?.version !== 0 });
      this.#live.add(socket);
    } else if (message.type === "subscribe") {
      // There is nothing in the others.
      const [entity] = message.entities as [string];
      say({ type: "sync_complete", entity, epoch: this.#epoch, version: 0, reset: false });
    }
  }

  /** The last number of a client that took effect. */
  lastOf(client: string): number {
    return (this.#clients.get(client) ?? STRANGER).versions.length;
  }

  /** Keeps a copy of everything. */
  backUp(): void {
    const { effects, records } = this;
    const copy = [[...effects], new Map(records), new Map(this.#clients)] as const;
    this.#backup = () => {
      [this.effects, this.records, this.#clients] = [
        [...copy[0]],
        new Map(copy[1]),
        new Map(copy[2]),
      ];
    };
  }

  /** The copy takes the place of everything. Cut all connections before. */
  restore(): void {
    const before = this.effects;
    this.#backup();
    for (const id of before.slice(this.effects.length)) this.undone.add(id);
    this.#epoch += "+";
  }

  /** A connection ended. */
  gone(socket: FakeWebSocket): void {
    this.#live.delete(socket);
  }

  #welcome(socket: FakeWebSocket, hello: Hello): ServerMessage {
    const { client_id: id = "", secret: said, confirmed_seq = 0 } = hello;
    const known = this.#clients.get(id) ?? STRANGER;
    const { secret: bound, versions } = known;
    if (bound && said !== bound) {
      return { type: "error", message: "taken", code: "client_id_taken", details: null };
    }
    const confirmed = Math.max(known.confirmed, Math.min(confirmed_seq, versions.length));
    if (bound) this.#clients.set(id, { ...known, confirmed });
    const secret = said ? undefined : `secret ${this.#rights.size}`;
    this.#rights.set(socket, [id, said ?? secret!]);
    return { ...WELCOME, epoch: this.#epoch, last_seq: versions.length, secret };
  }

  #push(message: Push, client_id: string, secret: string): ServerMessage[] {
    const { seq = 0, request_id, entity_id, data } = message;
    const place = { entity: "tasks", entity_id, request_id, seq };
    const known = this.#clients.get(client_id) ?? STRANGER;
    const { versions, secret: bound, confirmed } = known;
    if (bound && secret !== bound) {
      return [
        {
          type: "error",
          message: "taken",
          code: "client_id_taken",
          seq,
          request_id,
          details: null,
        },
      ];
    }
    const last_seq = versions.length;
    if (seq > last_seq + 1 || seq <= confirmed) {
      const details = { last_seq };
      return [{ type: "error", message: "gap", code: "out_of_order", seq, request_id, details }];
    }
    if (seq <= last_seq) {
      const version = versions[seq - 1]!;
      if (this.effects[version - 1] !== data) {
        return [
          { type: "error", message: "used", code: "seq_reused", seq, request_id, details: null },
        ];
      }
      return [{ type: "push_ack", ...place, version, duplicate: true }];
    }
    this.effects.push(data as string);
    const version = this.effects.length;
    this.#clients.set(client_id, { ...known, versions: [...versions, version], secret });
    const common = { entity: "tasks", entity_id, action: "update", version } as const;
    const change = { ...common, data: data ?? null, client_id, created_at: TIME };
    this.records.set(entity_id, change);
    for (const each of this.#live) each.says({ type: "change", change });
    return [{ type: "push_ack", ...place, version }];
  }
}
