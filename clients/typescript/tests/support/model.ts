/**
 * A server small enough to be obviously right: one entity, one subscriber, a
 * log, numbered writes taken once, and what can be refused.
 */

import type * as m from "../../src/messages/types.ts";
import { TIME, WELCOME } from "./welcome.ts";

export type Data = { readonly [key: string]: m.JsonValue };

/** What a record is; without data it was deleted. */
export interface Row {
  readonly version: number;
  readonly data?: Data | undefined;
  /** Every field that was ever there: when it changed last, and by whom. */
  readonly clocks: { readonly [key: string]: { readonly version: number; readonly by: string } };
}

/** What a numbered write said, and what it was answered. */
interface Answer {
  readonly content: string;
  readonly messages: readonly m.ServerMessage[];
}

/** Everything that a restore brings back. */
export interface ModelState {
  readonly version: number;
  readonly floor: number;
  readonly rows: ReadonlyMap<string, Row>;
  readonly lastSeq: number;
  readonly answers: ReadonlyMap<number, Answer>;
  /** The request ids of the writes that took effect, in order. */
  readonly effects: readonly string[];
}

export const FINAL: readonly m.ErrorCode[] = ["forbidden", "invalid_data"];

export class ModelServer {
  epoch = "e1";
  state: ModelState = {
    version: 0,
    floor: 0,
    rows: new Map(),
    lastSeq: 0,
    answers: new Map(),
    effects: [],
  };
  /** The next new write is refused with this. */
  refuse: m.ErrorCode | undefined;
  /** Epochs and versions at which no field changed: whoever reads fields is not told. */
  readonly silent = new Set<string>();
  #granularity: "records" | "fields" | undefined;

  /** What is there. */
  get records(): { [id: string]: Data } {
    const live = [...this.state.rows].filter(([, { data }]) => data);
    return Object.fromEntries(live.map(([id, { data }]) => [id, data!]));
  }

  /** Someone writes a record, or deletes it. */
  write(id: string, data: Data | undefined, by = "other"): m.ServerMessage[] {
    const before = this.state.rows.get(id);
    if (!data && !before?.data) return [];
    const version = this.state.version + 1;
    const names = new Set([...Object.keys(before?.data ?? {}), ...Object.keys(data ?? {})]);
    const changed = [...names].filter((name) => data?.[name] !== before?.data?.[name]);
    if (!changed.length && before?.data) return [];
    const clocks = { ...before?.clocks };
    for (const name of changed) clocks[name] = { version, by };
    const row = { version, data, clocks };
    this.state = { ...this.state, version, rows: new Map(this.state.rows).set(id, row) };
    if (!changed.length) this.silent.add(`${this.epoch} ${version}`);
    return this.tell(id, row, before?.data, by);
  }

  /** What the subscriber is told of a write. */
  protected tell(id: string, row: Row, _before?: Data, by?: string): m.ServerMessage[] {
    const { version } = row;
    return this.#granularity ? asOne(this.render(this.#granularity, id, row, version - 1, by)) : [];
  }

  /** The store is replaced by an older copy of itself. */
  restore(copy: ModelState): void {
    this.state = copy;
    this.epoch = `${this.epoch}+`;
  }

  /** Old tombstones are collected. */
  compact(): void {
    const rows = new Map([...this.state.rows].filter(([, { data }]) => data));
    this.state = { ...this.state, rows, floor: this.state.version };
  }

  /** The connection is gone. */
  disconnected(): void {
    this.#granularity = undefined;
  }

  /** Answers one message. */
  answer(message: m.Message): m.ServerMessage[] {
    switch (message.type) {
      case "hello":
        return [{ ...WELCOME, epoch: this.epoch, last_seq: this.state.lastSeq }];
      case "ping":
        return [{ type: "pong" }];
      case "authenticate":
        return [{ type: "authenticated", request_id: message.request_id }];
      case "push":
      case "push_fields":
      case "transaction":
        return this.#mutate(message);
      case "unsubscribe":
      case "unsubscribe_fields":
        this.#granularity = undefined;
        return [];
      case "subscribe":
      case "subscribe_fields":
        this.#granularity = message.type === "subscribe" ? "records" : "fields";
        return this.#catchUp(message.since!.tasks!);
      default:
        return [];
    }
  }

  #mutate(message: m.Push | m.PushFields | m.Transaction): m.ServerMessage[] {
    const { seq = 0, request_id } = message;
    const { lastSeq, answers } = this.state;
    const error = { type: "error", message: "no", seq, request_id, details: null } as const;
    if (seq > lastSeq + 1) {
      return [{ ...error, code: "out_of_order", details: { last_seq: lastSeq } }];
    }
    const known = answers.get(seq);
    const content = JSON.stringify({ ...message, request_id: undefined });
    if (known && known.content !== content) return [{ ...error, code: "seq_reused" }];
    if (known) return known.messages.map((each) => ({ ...each, duplicate: true }) as never);
    const code = this.refuse;
    this.refuse = undefined;
    if (code && !FINAL.includes(code)) return [{ ...error, code }];
    const [told, messages] = code ? [[], [{ ...error, code } as const]] : this.#decide(message);
    this.state = {
      ...this.state,
      lastSeq: seq,
      answers: new Map(answers).set(seq, { content, messages }),
    };
    return [...messages, ...told];
  }

  /** Several records are written in one step, by somebody else. */
  together(all: { readonly [id: string]: Data }): m.ServerMessage[] {
    const told = Object.entries(all).flatMap(([id, data]) => this.write(id, data));
    return this.#asTransaction(told);
  }

  /** What is told of one transaction: its changes, and that these were all. */
  #asTransaction(told: readonly m.ServerMessage[]): m.ServerMessage[] {
    const transaction = `t${this.epoch}${this.state.version}`;
    const changes = told.map((each) => {
      return "change" in each ? { ...each, change: { ...each.change, transaction } } : each;
    });
    const all = [...changes, { type: "transaction_complete", transaction }];
    return told.length ? (all as m.ServerMessage[]) : [];
  }

  /** Takes what is written; returns what the subscriber is told, and what the writer is answered. */
  #decide(message: m.Push | m.PushFields | m.Transaction): [m.ServerMessage[], m.ServerMessage[]] {
    const { seq, request_id } = message;
    this.state = { ...this.state, effects: [...this.state.effects, request_id!] };
    if (message.type !== "transaction") return this.#take(message);
    const told: m.ServerMessage[] = [];
    const answers: m.ServerMessage[] = [];
    const results: m.WriteResult[] = [];
    for (const each of message.writes) {
      const type = each.fields ? "push_fields" : "push";
      const [more, said] = this.#take({ type, ...each, seq, request_id } as m.Push | m.PushFields);
      const { entity, entity_id, version, ...counts } = said.at(-1) as m.FieldPushAck;
      const { applied = 0, conflicts = 0 } = counts;
      results.push({ entity, entity_id, version, applied, conflicts });
      told.push(...more);
      answers.push(...said.slice(0, -1));
    }
    const ack = { transaction: "t", results, request_id, seq, epoch: this.epoch };
    return [this.#asTransaction(told), [...answers, { type: "transaction_ack", ...ack }]];
  }

  /** Takes one write. */
  #take(message: m.Push | m.PushFields): [m.ServerMessage[], m.ServerMessage[]] {
    const { seq, request_id, entity_id: id } = message;
    const place = { entity: "tasks", entity_id: id, seq };
    const before = this.state.rows.get(id);
    let data: Data | undefined;
    const conflicts: m.FieldConflict[] = [];
    if (message.type === "push") {
      data = message.action === "delete" ? undefined : (message.data as Data);
    } else {
      const fields: { [key: string]: m.JsonValue } = { ...before?.data };
      for (const { field, value, action } of message.fields) {
        const clock = before?.clocks[field];
        if (action === "increment") {
          fields[field] = ((fields[field] ?? 0) as number) + (value as number);
        } else if (
          message.base_version &&
          clock &&
          clock.version > message.base_version &&
          clock.by === "other"
        ) {
          const values = { server_value: before.data?.[field] ?? null, client_value: value };
          const times = { server_timestamp: TIME, client_timestamp: TIME };
          conflicts.push({
            type: "field_conflict",
            ...place,
            field,
            ...values,
            ...times,
            winner: "server",
          });
        } else if (action === "delete") delete fields[field];
        else fields[field] = value;
      }
      data = conflicts.length === message.fields.length ? before?.data : fields;
    }
    const told = this.write(id, data, "me");
    const { version } = this.state;
    const ack = { ...place, request_id, version, epoch: this.epoch };
    if (message.type === "push") return [told, [{ type: "push_ack", ...ack }]];
    const counts = {
      applied: message.fields.length - conflicts.length,
      conflicts: conflicts.length,
    };
    return [told, [...conflicts, { type: "field_push_ack", ...ack, ...counts }]];
  }

  #catchUp({ epoch, version }: m.Position): m.ServerMessage[] {
    const { floor, version: head } = this.state;
    const known = version === 0 || (epoch === this.epoch && version <= head && version >= floor);
    const base = known ? version : 0;
    const rows = [...this.state.rows].filter(([, row]) => row.version > base);
    rows.sort(([, a], [, b]) => a.version - b.version);
    const messages = rows.flatMap(([id, row]) => this.render(this.#granularity!, id, row, base));
    const type = this.#granularity === "fields" ? "sync_fields_complete" : "sync_complete";
    return [
      ...asOne(messages),
      { type, entity: "tasks", epoch: this.epoch, version: head, reset: !known },
    ];
  }

  /** A record, or those of its fields that were written after `base`, at its version. */
  protected render(
    granularity: "records" | "fields",
    id: string,
    row: Row,
    base: number,
    by?: string,
  ): m.ServerMessage[] {
    const { version, data, clocks } = row;
    const common = { entity: "tasks", entity_id: id, client_id: by, version };
    if (granularity === "records") {
      const action = data ? "update" : "delete";
      return [
        { type: "change", change: { ...common, action, data: data ?? null, created_at: TIME } },
      ];
    }
    const names = Object.keys(clocks)
      .filter((name) => clocks[name]!.version > base)
      .sort();
    return names.map((field) => {
      const value = data?.[field];
      const action = value === undefined ? "delete" : "update";
      return {
        type: "field_change",
        change: { ...common, field, value: value ?? null, action, timestamp: TIME },
      };
    });
  }
}

/** Field changes of which only the last may say that it is. */
export function asOne(messages: m.ServerMessage[]): m.ServerMessage[] {
  return messages.map((each, at) =>
    each.type === "field_change" && at < messages.length - 1
      ? { ...each, change: { ...each.change, more: true } }
      : each,
  );
}
