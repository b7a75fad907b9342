/**
 * One subscription of a connection to a server for tests.
 *
 * Knows which records it reads, and how they are told. Must not know sockets.
 */
import { partName, within } from "../core/part.ts";
import type * as m from "../messages/types.ts";
import {
  changeOf,
  type EntityLog,
  fieldOf,
  fieldsSince,
  type StoredRecord,
  timeOf,
  type Written,
} from "./entity-log.ts";

/** Reads an entity, or a part of it, as records or field by field. */
export class Subscription {
  readonly #log: EntityLog;
  readonly #fields: boolean;
  readonly #where: m.JsonValue | undefined;
  readonly #isIn: (record: StoredRecord | undefined) => boolean;

  constructor(log: EntityLog, fields: boolean, where?: m.JsonValue) {
    this.#log = log;
    this.#fields = fields;
    this.#where = where;
    const isWithin = within(partName(log.entity, where));
    this.#isIn = (record) => record?.data !== undefined && isWithin(record.data);
  }

  /** What names it among those of a connection. */
  static key(entity: string, fields: boolean, where?: m.JsonValue): string {
    return JSON.stringify([fields, partName(entity, where)]);
  }

  /**
   * All that is new since a position, and that it has caught up.
   *
   * @param since undefined: nothing, it starts with the next change.
   * @param request_id of a `sync`, which is answered once.
   */
  catchUp(epoch: string, since: m.Position | undefined, request_id?: string): m.ServerMessage[] {
    const { version: head, entity } = this.#log;
    const { version, scope, epoch: said } = since ?? { version: head };
    const isOurs = !since || (said === epoch && (scope === this.#scope || !version));
    // From the beginning, of no epoch: it holds nothing.
    const isKnown = isOurs ? version <= head : !version && !said;
    const base = isKnown ? version : 0;
    const [where, reset] = [this.#where, !isKnown];
    const place = { entity, epoch, reset, where, scope: this.#scope };
    const begins = !request_id && (reset || (!base && where !== undefined));
    const rows = [...this.#log.rows].filter(([, row]) => row.version > base);
    rows.sort(([, one], [, other]) => one.version - other.version);
    return [
      ...(begins ? [{ type: "sync_begin", fields: this.#fields, ...place } as const] : []),
      ...asOne(rows.flatMap(([id, row]) => this.#caughtUp(id, row, base))),
      {
        type: this.#fields ? "sync_fields_complete" : "sync_complete",
        ...place,
        version: head,
        request_id,
      },
    ];
  }

  /** What a connection with these subscriptions is told of a write. */
  static told(all: Iterable<Subscription>, written: Written): m.ServerMessage[] {
    const readers = [...all].filter((each) => each.#log.entity === written.entity);
    return [false, true].flatMap((fields) => {
      // One stream, whatever parts are read in it: what has left one may be in another.
      const stream = readers.filter((each) => each.#fields === fields);
      const wasIn = stream.some((each) => each.#isIn(written.before));
      const isIn = stream.some((each) => each.#isIn(written.after));
      return wasIn || isIn ? stream[0]!.#tell(written, wasIn, isIn) : [];
    });
  }

  #tell({ id, before, after, changed }: Written, wasIn: boolean, isIn: boolean): m.ServerMessage[] {
    if (!isIn && after.data !== undefined) return [this.#left(id, after)];
    // One that comes in from elsewhere is told whole.
    const isWhole = !wasIn && before?.data !== undefined;
    return asOne(this.#rendered(id, after, isWhole ? fieldsSince(after, 0) : changed));
  }

  /** What belongs to a position in a part: another part has another. */
  get #scope(): string | undefined {
    return this.#where === undefined ? undefined : partName("", this.#where).slice(1);
  }

  /** A record that was written since; of one that is not in a part, that it has left, maybe. */
  #caughtUp(id: string, row: StoredRecord, base: number): m.ServerMessage[] {
    const isThere = this.#isIn(row);
    const fields = fieldsSince(row, base);
    if (isThere || this.#where === undefined) return this.#rendered(id, row, fields);
    if (!base) return [];
    return row.data === undefined ? this.#rendered(id, row, fields) : [this.#left(id, row)];
  }

  #rendered(id: string, row: StoredRecord, fields: readonly string[]): m.ServerMessage[] {
    const { entity } = this.#log;
    if (!this.#fields) return [{ type: "change", change: changeOf(entity, id, row) }];
    return fields.map((field) => {
      const [value, { time, by }] = fieldOf(row, field);
      const action = value === undefined ? "delete" : "update";
      const place = { entity, entity_id: id, field, value: value ?? null, action } as const;
      const author = by && { client_id: by };
      const change = { ...place, version: row.version, ...author, timestamp: timeOf(time) };
      return { type: "field_change", change };
    });
  }

  #left(id: string, row: StoredRecord): m.ServerMessage {
    const { entity } = this.#log;
    const place = { entity, entity_id: id, action: "delete", left: true } as const;
    const { version, time } = row;
    if (!this.#fields) {
      return {
        type: "change",
        change: { ...place, data: null, version, created_at: timeOf(time) },
      };
    }
    const change = { ...place, field: "", value: null, version, timestamp: timeOf(time) };
    return { type: "field_change", change };
  }
}

/** Field changes of one version, of which only the last may say that it is. */
function asOne(messages: m.ServerMessage[]): m.ServerMessage[] {
  return messages.map((each, at) =>
    each.type === "field_change" && at < messages.length - 1
      ? { ...each, change: { ...each.change, more: true } }
      : each,
  );
}
