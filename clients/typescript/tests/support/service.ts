/**
 * A server of several connections, small enough to be obviously right: one
 * entity, by record, and the writes of one client, numbered, taken once.
 */
import { WELCOME } from "./welcome.ts";
import type { FakeWebSocket } from "./sockets.ts";
import type { ChangeLog, JsonValue, Message, Push, ServerMessage } from "../../src/messages/types.ts";

const TIME = "2026-11-22T10:00:00Z";

export class Service {
  /** Every write that took effect, in order: its record. */
  readonly effects: string[] = [];
  readonly records = new Map<string, ChangeLog>();
  readonly #live = new Set<FakeWebSocket>();
  #lastSeq = 0;
  #versions: number[] = [];

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
    if (message.type === "hello") say({ ...WELCOME, last_seq: this.#lastSeq });
    else if (message.type === "ping") say({ type: "pong" });
    else if (message.type === "push") say(...this.#push(message));
    else if (message.type === "subscribe") {
      const since = message.since?.["tasks"]?.version ?? 0;
      const missed = [...this.records.values()].filter((each) => each.version > since);
      missed.sort((a, b) => a.version - b.version);
      say(...missed.map((change) => ({ type: "change", change }) as const));
      const place = { entity: "tasks", epoch: WELCOME.epoch, version: this.effects.length };
      say({ type: "sync_complete", ...place, reset: false });
      this.#live.add(socket);
    }
  }

  /** A connection ended. */
  gone(socket: FakeWebSocket): void {
    this.#live.delete(socket);
  }

  #push({ seq = 0, request_id, entity_id, data, client_id }: Push & { client_id?: string }): ServerMessage[] {
    const place = { entity: "tasks", entity_id, request_id, seq };
    if (seq > this.#lastSeq + 1) {
      const details = { last_seq: this.#lastSeq };
      return [{ type: "error", message: "gap", code: "out_of_order", seq, request_id, details }];
    }
    if (seq <= this.#lastSeq) {
      const version = this.#versions[seq - 1]!;
      return [{ type: "push_ack", ...place, version, duplicate: true }];
    }
    this.#lastSeq = seq;
    this.effects.push(entity_id);
    const version = this.effects.length;
    this.#versions.push(version);
    const common = { entity: "tasks", entity_id, action: "update", version } as const;
    const change = { ...common, data: data ?? null, client_id, created_at: TIME };
    this.records.set(entity_id, change);
    for (const each of this.#live) each.says({ type: "change", change });
    return [{ type: "push_ack", ...place, version }];
  }
}
