/**
 * The model of a server that divides its entity by the fields `p` and `open`, and reads it to
 * one client in parts, side by side, while others write. What one that catches up is told is read
 * in one step, two things at a time, and said in later ones: live changes come in between.
 */

import { partName, within } from "../../src/core/part.ts";
import type * as m from "../../src/messages/types.ts";
import type { Data, ModelState, Row } from "./model.ts";
import { asOne, ModelServer } from "./model.ts";
import { TIME } from "./welcome.ts";

/** A subscription. */
interface Cursor {
  readonly where: m.JsonValue | undefined;
  readonly isIn: (data: Data | undefined) => boolean;
  /** Where its catching up began. */
  base: number;
  /** What it was told up to. */
  sent: number;
  /** Where it was started from nothing: its client knows of nothing that left before. */
  start: number;
  /** What was read for it, and is not said. */
  readonly page: Due[];
  reset: boolean;
  /** It has been said from where it is read. */
  begun: boolean;
  live: boolean;
  /** It was live, and fell behind: its client does not know. */
  fell: boolean;
}

/** What one that catches up has yet to be told: a record as it was read, or that it has left. */
interface Due {
  readonly id: string;
  readonly version: number;
  readonly row: Row | undefined;
  readonly messages: readonly m.ServerMessage[];
  /** The same with all of its fields. */
  readonly whole: readonly m.ServerMessage[];
}

/** A record was deleted, or is in another part now. */
interface Departure {
  readonly version: number;
  readonly id: string;
  readonly before: Data;
}

export class PartServer extends ModelServer {
  /** The values of `p` that the client may read; undefined for all. */
  right: readonly m.JsonValue[] | undefined;
  readonly #granularity: "records" | "fields";
  readonly #cursors = new Map<string, Cursor>();
  #departures: Departure[] = [];
  /** Each state of each record, the oldest first. */
  #past: { readonly version: number; readonly id: string; readonly data: Data | undefined }[] = [];
  /** It has read a part on this connection: all of a record is told each time from then on. */
  #isParted = false;
  /** The field change of a page that may be the last. */
  #held: m.FieldChange | undefined;

  constructor(granularity: "records" | "fields") {
    super();
    this.#granularity = granularity;
  }

  /** What is there, as far as the client may read it, and asks for it. */
  part(where: m.JsonValue | undefined): { [id: string]: Data } {
    const { isIn } = this.#cursor(where);
    return Object.fromEntries(Object.entries(this.records).filter(([, data]) => isIn(data)));
  }

  /** How many subscriptions there are. */
  get subscriptions(): number {
    return this.#cursors.size;
  }

  /** The client may read something else from now on. */
  rescope(right: readonly m.JsonValue[] | undefined): void {
    this.right = right;
    this.#isParted ||= right !== undefined && this.#cursors.size > 0;
    for (const cursor of this.#cursors.values()) this.#restart(cursor);
  }

  /** Where the subscriptions are, for one of which nothing came. */
  heartbeat(): m.ServerMessage[] {
    return [...this.#cursors.values()].flatMap((each) => {
      if (each.live) return [this.#complete({ ...each, reset: false })];
      return [];
    });
  }

  /** The client is slow: what is live falls behind, all of it, as it is one stream. */
  slow(): void {
    const { version } = this.state;
    const from = { base: version, sent: version, reset: false, begun: true };
    for (const cursor of this.#cursors.values())
      if (cursor.live) Object.assign(cursor, { ...from, live: false, fell: true });
  }

  /** One that catches up reads a page, or is told the next of it, or that it has caught up. */
  page(which: number): m.ServerMessage[] {
    const behind = [...this.#cursors.values()].filter((each) => !each.live);
    const cursor = behind[which % behind.length];
    return cursor ? this.#next(cursor) : [];
  }

  override compact(): void {
    const behind = [...this.#cursors.values()].filter((each) => !each.live);
    // What was deleted is remembered for longer than it takes to load everything.
    if (behind.some((each) => !each.base)) return;
    super.compact();
    this.#departures = [];
    for (const each of behind) if (each.base < this.state.floor) this.#restart(each);
  }

  override restore(copy: ModelState): void {
    super.restore(copy);
    this.#departures = this.#departures.filter(({ version }) => version <= copy.version);
    this.#past = this.#past.filter(({ version }) => version <= copy.version);
  }

  override disconnected(): void {
    this.#cursors.clear();
    this.#isParted = false;
    this.#held = undefined;
  }

  override answer(message: m.Message): m.ServerMessage[] {
    switch (message.type) {
      case "unsubscribe":
      case "unsubscribe_fields":
        this.#cursors.delete(key(message.where));
        return this.#release(true);
      case "subscribe":
      case "subscribe_fields":
        this.#subscribe(message.where, message.since?.tasks);
        return [];
      default:
        return super.answer(message);
    }
  }

  protected override tell(id: string, row: Row, before?: Data, by?: string): m.ServerMessage[] {
    const { version, data } = row;
    this.#past.push({ version, id, data });
    const moves = !data || data.p !== before?.p || data.open !== before?.open;
    if (before && moves) this.#departures.push({ version, id, before });
    const live = [...this.#cursors.values()].filter((each) => each.live);
    const wasIn = live.some(({ isIn }) => isIn(before));
    const isIn = live.some((each) => each.isIn(data));
    if (wasIn && !isIn && data) return [this.#left(id, version)];
    if (!wasIn && !isIn) return [];
    return asOne(this.render(this.#granularity, id, row, wasIn ? version - 1 : 0, by));
  }

  #cursor(where: m.JsonValue | undefined): Cursor {
    const isWithin = within(partName("tasks", where));
    const isIn = (data: Data | undefined) =>
      !!data && isWithin(data) && (!this.right || this.right.includes(data.p!));
    const common = { where, isIn, base: 0, sent: 0, start: 0, page: [] };
    return { ...common, reset: false, begun: false, live: false, fell: false };
  }

  /** Without a position it is read from the head on. */
  #subscribe(where: m.JsonValue | undefined, since?: m.Position): void {
    const part = Object(where).tasks;
    const { floor, version: head } = this.state;
    const { version, epoch, scope } = since ?? { version: head, epoch: this.epoch };
    const isThere = epoch === this.epoch && version <= head && version >= floor;
    this.#isParted ||= this.#scope(part) !== undefined;
    const known = !since || version === 0 || (isThere && scope === this.#scope(part));
    const base = known ? version : 0;
    const start = this.#neverSent();
    const cursor = { ...this.#cursor(part), base, sent: base, start, reset: !known };
    this.#cursors.set(key(where), cursor);
  }

  #restart(cursor: Cursor): void {
    const start = this.#neverSent(cursor);
    cursor.page.length = 0;
    const state = { reset: true, begun: false, live: false, fell: false };
    Object.assign(cursor, { base: 0, sent: 0, start, ...state });
  }

  /** What left up to here was not told by others, either, who may not get to say that it left. */
  #neverSent(cursor?: Cursor): number {
    const [first] = this.#fallen;
    const others = [...this.#cursors.values()].filter(
      (each) => each !== cursor && !each.live && (!each.fell || each === first),
    );
    const places = others.map(({ page, sent, start }) =>
      Math.max(page[0] ? page[0].version - 1 : sent, start),
    );
    return Math.min(this.state.version, ...places);
  }

  #scope(where: m.JsonValue | undefined): string | undefined {
    const { right } = this;
    return where || right ? JSON.stringify([where, right]) : undefined;
  }

  /** The next of a cursor; before the first, from where it is read. */
  #next(cursor: Cursor): m.ServerMessage[] {
    const { base, reset, begun, where } = cursor;
    const scope = this.#scope(where);
    cursor.begun = true;
    if (begun || !(reset || (!base && scope))) return this.#nextChange(cursor);
    const fields = this.#granularity === "fields";
    const { epoch } = this;
    const type = "sync_begin";
    return [
      ...this.#release(true),
      { type, entity: "tasks", epoch, reset, fields, where, scope },
      ...this.#nextChange(cursor),
    ];
  }

  /** Those that were live, and fell behind: one stream, which the first of them is told of. */
  get #fallen(): Cursor[] {
    return [...this.#cursors.values()].filter((each) => each.fell);
  }

  /** Those for which a cursor reads: of those that fell behind the first one for all. */
  #readers(cursor: Cursor): Cursor[] {
    return cursor.fell ? this.#fallen : [cursor];
  }

  #isRead(cursor: Cursor): Cursor["isIn"] {
    return (data) => this.#readers(cursor).some((each) => each.isIn(data));
  }

  /** What one that catches up has yet to be told, the oldest first. */
  #due(cursor: Cursor): Omit<Due, "messages" | "whole">[] {
    if (cursor.fell && cursor !== this.#fallen[0]) return [];
    const { base, sent, start } = cursor;
    const isIn = this.#isRead(cursor);
    const { rows } = this.state;
    const known = Math.max(sent, base ? 0 : start);
    const gone = this.#departures.filter(
      ({ id, version, before }) => version > known && isIn(before) && !isIn(rows.get(id)?.data),
    );
    return [
      ...gone.map(({ id, version }) => ({ id, version, row: undefined })),
      ...[...rows].map(([id, row]) => ({ id, version: row.version, row })),
    ]
      .filter(({ version, row }) => version > sent && (!row || isIn(row.data)))
      .sort((a, b) => a.version - b.version);
  }

  #nextChange(cursor: Cursor): m.ServerMessage[] {
    const { page } = cursor;
    const next = page.shift();
    if (next) return this.#said(next);
    const due = this.#due(cursor).slice(0, 2);
    for (const each of due) {
      const { base } = cursor;
      const [messages, whole] = [base, 0].map((from) => this.#rendered(each, cursor, from));
      page.push({ ...each, messages: messages!, whole: whole! });
    }
    if (due[0]) {
      cursor.sent = due.at(-1)!.version;
      return [];
    }
    // Its answer is taken for the position of what fell behind, too: that comes first.
    const fallen = this.#fallen;
    if (fallen.some((each) => each.page[0] || this.#due(each).length)) return [];
    for (const each of [...fallen, cursor]) Object.assign(each, { live: true, fell: false });
    return [...this.#release(false), this.#complete(cursor)];
  }

  #rendered(
    { id, version, row }: Omit<Due, "messages" | "whole">,
    cursor: Cursor,
    base: number,
  ): m.ServerMessage[] {
    const isIn = this.#isRead(cursor);
    if (row) {
      // One that came in since is told whole.
      const past = this.#past.filter((each) => each.id === id);
      const then = Math.max(
        0,
        ...past.map(({ version }) => version).filter((each) => each <= base),
      );
      const stayed = then && past.every(({ version, data }) => version < then || isIn(data));
      return this.render(this.#granularity, id, row, stayed ? base : 0);
    }
    const deleted = this.state.rows.get(id);
    const isDeleted = deleted && !deleted.data && deleted.version === version;
    if (!isDeleted || this.#granularity === "fields") return [this.#left(id, version)];
    return this.render("records", id, deleted, base);
  }

  #said({ row, messages, whole }: Due): m.ServerMessage[] {
    if (this.#granularity === "records") return [...messages];
    const before = this.#release(true);
    if (!row) return [...before, ...messages];
    const all = (this.#isParted ? whole : messages) as m.FieldChange[];
    this.#held = all.at(-1);
    return [...before, ...all.slice(0, -1).map((each) => more(each, true))];
  }

  /** Sends what was held back; `goesOn`: it was not the last. */
  #release(goesOn: boolean): m.ServerMessage[] {
    const held = this.#held;
    this.#held = undefined;
    return held ? [more(held, goesOn)] : [];
  }

  #complete({ where, reset }: Cursor): m.ServerMessage {
    const type = this.#granularity === "fields" ? "sync_fields_complete" : "sync_complete";
    const { epoch } = this;
    const { version } = this.state;
    return { type, entity: "tasks", epoch, version, reset, where, scope: this.#scope(where) };
  }

  #left(id: string, version: number): m.ServerMessage {
    const common = {
      entity: "tasks",
      entity_id: id,
      version,
      action: "delete",
      left: true,
    } as const;
    if (this.#granularity === "records")
      return { type: "change", change: { ...common, data: null, created_at: TIME } };
    return { type: "field_change", change: { ...common, field: "", value: null, timestamp: TIME } };
  }
}

function more({ type, change }: m.FieldChange, goesOn: boolean): m.FieldChange {
  return { type, change: goesOn ? { ...change!, more: true } : change! };
}

function key(where: m.JsonValue | undefined): string {
  return JSON.stringify(where ?? null);
}
