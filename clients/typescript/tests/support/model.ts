/**
 * A server small enough to be obviously right: one entity, one subscriber, a
 * log, numbered writes taken once.
 */
import { WELCOME } from "./harness.ts";
import type { Granularity } from "../../src/streams.ts";
import type { JsonValue, Message, Position, Push, ServerMessage } from "../../src/messages/types.ts";

const TIME = "2026-11-22T10:00:00Z";

interface Row {
  readonly version: number;
  readonly data: { readonly [key: string]: JsonValue };
  /** The version at which each key was written last. */
  readonly clocks: { readonly [key: string]: number };
}

/** Everything that a restore brings back. */
interface State {
  readonly version: number;
  readonly rows: ReadonlyMap<string, Row>;
  readonly lastSeq: number;
}

export class ModelServer {
  epoch = "e1";
  state: State = { version: 0, rows: new Map(), lastSeq: 0 };
  /** Every write that took effect, by the value that the client wrote. */
  readonly effects: JsonValue[] = [];
  #granularity: Granularity | undefined;

  /** Someone writes a record. */
  write(id: string, data: Row["data"]): ServerMessage[] {
    const version = this.state.version + 1;
    const before = this.state.rows.get(id);
    const changed = Object.keys(data).filter((key) => data[key] !== before?.data[key]);
    const clocks = { ...before?.clocks, ...Object.fromEntries(changed.map((key) => [key, version])) };
    const row = { version, data: { ...before?.data, ...data }, clocks };
    this.state = { ...this.state, version, rows: new Map(this.state.rows).set(id, row) };
    if (!this.#granularity) return [];
    return this.#render(id, row, version - 1, false);
  }

  /** The store is replaced by an older copy of itself. */
  restore(copy: State): void {
    this.state = copy;
    this.epoch = `${this.epoch}+`;
  }

  /** The connection is gone. */
  disconnected(): void {
    this.#granularity = undefined;
  }

  /** Answers one message. */
  answer(message: Message): ServerMessage[] {
    if (message.type === "hello") {
      return [{ ...WELCOME, epoch: this.epoch, last_seq: this.state.lastSeq }];
    }
    if (message.type === "push") return this.#push(message);
    if (message.type === "subscribe" || message.type === "subscribe_fields") {
      this.#granularity = message.type === "subscribe" ? "records" : "fields";
      return message.since ? this.#catchUp(message.since.users!) : [];
    }
    return [];
  }

  #push({ seq = 0, request_id, data }: Push): ServerMessage[] {
    const { lastSeq, version } = this.state;
    const place = { entity: "users", entity_id: "1", request_id, seq };
    if (seq > lastSeq + 1) {
      const details = { last_seq: lastSeq };
      return [{ type: "error", message: "gap", code: "out_of_order", seq, request_id, details }];
    }
    if (seq <= lastSeq) return [{ type: "push_ack", ...place, version, duplicate: true }];
    const delivered = this.write("1", data as Row["data"]);
    this.state = { ...this.state, lastSeq: seq };
    this.effects.push(data);
    return [{ type: "push_ack", ...place, version: this.state.version }, ...delivered];
  }

  #catchUp({ epoch, version }: Position): ServerMessage[] {
    const known = version === 0 || (epoch === this.epoch && version <= this.state.version);
    const base = known ? version : 0;
    const rows = [...this.state.rows].filter(([, row]) => row.version > base);
    rows.sort(([, a], [, b]) => a.version - b.version);
    const messages = rows.flatMap(([id, row]) => this.#render(id, row, base, true));
    const last = messages.at(-1);
    if (last?.type === "field_change") {
      messages[messages.length - 1] = { ...last, change: { ...last.change, more: undefined } };
    }
    const type = this.#granularity === "records" ? "sync_complete" : "sync_fields_complete";
    const position = { epoch: this.epoch, version: this.state.version };
    return [...messages, { type, entity: "users", ...position, reset: !known }];
  }

  #render(id: string, row: Row, base: number, catchingUp: boolean): ServerMessage[] {
    const { version, data } = row;
    const common = { entity: "users", entity_id: id, action: "update", version } as const;
    if (this.#granularity === "records") {
      return [{ type: "change", change: { ...common, data, created_at: TIME } }];
    }
    const keys = Object.keys(data).filter((key) => row.clocks[key]! > base);
    return keys.map((key, index) => {
      const more = catchingUp || index < keys.length - 1 || undefined;
      const change = { ...common, field: key, value: data[key]!, timestamp: TIME, more };
      return { type: "field_change", change };
    });
  }
}
