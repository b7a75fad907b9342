/**
 * A server of several connections, small enough to be obviously right: one
 * entity, by record, and the writes of one client, numbered, taken once.
 */
import { WELCOME } from "./welcome.ts";
import type { FakeWebSocket } from "./sockets.ts";
import type { ChangeLog, JsonValue, Message, Push, ServerMessage } from "../../src/messages/types.ts";

const TIME = "2026-11-22T10:00:00Z";

export class Service {
  /** Every write that took effect, in order: its data. */
  effects: string[] = [];
  records = new Map<string, ChangeLog>();
  /** What took effect and was undone by a restore. */
  readonly undone = new Set<string>();
  readonly #live = new Set<FakeWebSocket>();
  #epoch: string = WELCOME.epoch;
  /** The version of each numbered write. */
  #versions: number[] = [];
  /** What the client's id is bound to, once it has numbered a write. */
  #secret = "";
  /** What each connection has presented, or was given. */
  readonly #rights = new Map<FakeWebSocket, string>();
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
    const say = (...messages: ServerMessage[]) => socket.says(...messages);
    if (message.type === "hello") say(this.#welcome(socket, message.secret));
    else if (message.type === "ping") say({ type: "pong" });
    else if (message.type === "push") say(...this.#push(message, this.#rights.get(socket)!));
    else if (message.type === "subscribe" && message.entities.includes("tasks")) {
      const position = message.since?.["tasks"];
      const known = position?.epoch === this.#epoch && position.version <= this.effects.length;
      const since = known ? position.version : 0;
      const missed = [...this.records.values()].filter((each) => each.version > since);
      missed.sort((a, b) => a.version - b.version);
      say(...missed.map((change) => ({ type: "change", change }) as const));
      const place = { entity: "tasks", epoch: this.#epoch, version: this.effects.length };
      say({ type: "sync_complete", ...place, reset: !known && position?.version !== 0 });
      this.#live.add(socket);
    }
  }

  /** Keeps a copy of everything. */
  backUp(): void {
    const { effects, records } = this;
    const copy = [[...effects], new Map(records), [...this.#versions]] as const;
    this.#backup = () => {
      [this.effects, this.records, this.#versions] = [[...copy[0]], new Map(copy[1]), [...copy[2]]];
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

  #welcome(socket: FakeWebSocket, said: string | undefined): ServerMessage {
    if (this.#secret && said !== this.#secret) {
      return { type: "error", message: "taken", code: "client_id_taken", details: null };
    }
    const secret = said ? undefined : `secret ${this.#rights.size}`;
    this.#rights.set(socket, said ?? secret!);
    return { ...WELCOME, epoch: this.#epoch, last_seq: this.#versions.length, secret };
  }

  #push(message: Push & { client_id?: string }, right: string): ServerMessage[] {
    const { seq = 0, request_id, entity_id, data, client_id } = message;
    const place = { entity: "tasks", entity_id, request_id, seq };
    if (this.#secret && right !== this.#secret) {
      return [{ type: "error", message: "taken", code: "client_id_taken", seq, request_id, details: null }];
    }
    const last_seq = this.#versions.length;
    if (seq > last_seq + 1) {
      const details = { last_seq };
      return [{ type: "error", message: "gap", code: "out_of_order", seq, request_id, details }];
    }
    if (seq <= last_seq) {
      const version = this.#versions[seq - 1]!;
      if (this.effects[version - 1] !== data) {
        return [{ type: "error", message: "used", code: "seq_reused", seq, request_id, details: null }];
      }
      return [{ type: "push_ack", ...place, version, duplicate: true }];
    }
    this.effects.push(data as string);
    const version = this.effects.length;
    this.#versions.push(version);
    this.#secret = right;
    const common = { entity: "tasks", entity_id, action: "update", version } as const;
    const change = { ...common, data: data ?? null, client_id, created_at: TIME };
    this.records.set(entity_id, change);
    for (const each of this.#live) each.says({ type: "change", change });
    return [{ type: "push_ack", ...place, version }];
  }
}
