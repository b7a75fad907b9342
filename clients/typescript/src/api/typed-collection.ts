/**
 * The records of one entity, typed by the application's schema.
 *
 * Knows how records are read and written by their shape, and that nothing is queued that breaks a
 * rule. Everything else is the untyped collection's.
 */

import type { PatchOptions, WriteOptions } from "../core/build-message.ts";
import type { HistoryOptions, RecordCommit, RecordHistory } from "../core/history.ts";
import type { CollectionOptions, Stop } from "../core/options.ts";
import type { Row } from "../core/overlay.ts";
import { deriving } from "../core/row-list.ts";
import { uuid7 } from "../core/uuid7.ts";
import { RhtmxError } from "../errors.ts";
import type * as m from "../messages/types.ts";
import { randomId } from "../runtime/platform.ts";
import type { Tab } from "../runtime/tab.ts";
import { fromJson, invalid, isObject, type Shape, toJson } from "../schema/convert.ts";
import { changedOf, created, type Edit, edited, editOf } from "../schema/edit.ts";
import { judgeFirst } from "../schema/judge-first.ts";
import { Collection, type Patch } from "./collection.ts";

/** A record that has something else in a field than the schema says. */
export interface Unreadable {
  /** The record. */
  readonly id: string;
  /** What it has, as JSON. */
  readonly data: m.JsonValue;
  /** What is wrong, in words; its `violations` name the field. */
  readonly error: RhtmxError;
}

/** A promise of what a call makes, which is rejected if it throws. */
function attempt<A>(call: () => Promise<A>): Promise<A> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * The records of one entity, typed by the application's schema: `T` as they are read, `N` as they
 * are created, `E` what an edit may say. Made by `Client.of`.
 *
 * A record that was written under another schema, and has something else in a field than this one
 * says, takes no others with it: it is in no list, and in `unreadable`.
 */
export class TypedCollection<T, N = T, E = Patch<T>> extends Collection<T> {
  readonly #shape: Shape;
  readonly #isWhole: boolean;
  /** By the row as it came: what became of it. */
  readonly #made = new WeakMap<object, Row<T> | Unreadable>();
  readonly #rows = deriving((row: Row<T>) => {
    const made = this.#read(row);
    return "error" in made ? undefined : made;
  });
  readonly #unreadable = deriving((row: Row<T>) => {
    const made = this.#read(row);
    return "error" in made ? made : undefined;
  });

  /** @internal `Client.of` makes it. */
  constructor(
    tab: Tab,
    entity: string,
    shape: Shape,
    isWhole: boolean,
    options: CollectionOptions,
    forget: Stop,
    schemaVersion: number,
  ) {
    super(tab, entity, options, forget);
    this.schemaVersion = schemaVersion;
    this.#shape = shape;
    this.#isWhole = isWhole;
  }

  /** All rows that can be read, by id; the same array as long as nothing changed. */
  override get snapshot(): readonly Row<T>[] {
    return this.#rows(super.snapshot);
  }

  /** The records that cannot be read, by id; the same array as long as nothing changed. */
  get unreadable(): readonly Unreadable[] {
    return this.#unreadable(super.snapshot);
  }

  /** One row; undefined if there is none, or it cannot be read. */
  override row(id: string): Row<T> | undefined {
    const row = super.row(id);
    const made = row && this.#read(row);
    return made && "error" in made ? undefined : made;
  }

  /** One row, once it is loaded. Rejects if it cannot be read. */
  override async get(id: string): Promise<Row<T> | undefined> {
    await this.ready;
    const row = super.row(id);
    const made = row && this.#read(row);
    if (made && "error" in made) throw made.error;
    return made;
  }

  #read(row: Row<unknown>): Row<T> | Unreadable {
    const known = this.#made.get(row);
    if (known) return known;
    let made: Row<T> | Unreadable;
    try {
      const data = this.#typed(row.id, row.data);
      made = data === row.data ? (row as Row<T>) : { ...row, data };
    } catch (error) {
      made = { id: row.id, data: row.data as m.JsonValue, error: error as RhtmxError };
    }
    this.#made.set(row, made);
    return made;
  }

  #typed(id: string, data: unknown): T {
    return fromJson(this.#shape, data, `${this.entity}/${id}`) as T;
  }

  /**
   * Writes a record that is not there yet. Shown at once; resolves when it is durable.
   *
   * @param id - its id; a new one, if left out: the answer has it.
   * @throws RhtmxError `invalid`: it would break a rule, and nothing was written;
   *   `conflict`: there is such a record; or another reason.
   */
  create(record: N, id: string = uuid7(Date.now(), randomId())): Promise<m.PushAck> {
    return attempt(() => super.set(id, this.#written(record) as T, { baseVersion: 0 }));
  }

  /**
   * Writes a whole record, whatever was there; see `Collection.set`, and `edit`. What has been
   * read can be written back; of a record that is held, only what differs is judged.
   */
  override set(id: string, data: T, options: WriteOptions = {}): Promise<m.PushAck> {
    return attempt(() => super.set(id, this.#written(data, super.row(id)?.data) as T, options));
  }

  #written(record: unknown, held?: unknown): object {
    if (!isObject(record))
      throw invalid([{ field: "", code: "type", message: "must be an object" }]);
    if (isObject(held)) return this.#replacing(held, toJson(this.#shape, record));
    const [data, said] = created(this.#shape, record);
    return this.#judge(data, said);
  }

  /** A whole record in the place of one that is held. */
  #replacing(held: object, data: object): object {
    return this.#judge(data, changedOf(this.#shape, held, data));
  }

  /**
   * Writes some fields of a record, and leaves the others. Shown at once; resolves when that is
   * durable.
   *
   * @param fields - new values, or operations that fit; null for a field that goes. What sets a
   *   field of a oneof takes its others away.
   * @throws RhtmxError `invalid`: the record would break a rule about what is written, and
   *   nothing was; or another reason.
   */
  edit(id: string, fields: E, options: PatchOptions = {}): Promise<m.PushAck | m.FieldPushAck> {
    const write = () => this.#edit(id, fields, options);
    // What has to be known may be in the store.
    const waits = this.#isWhole && !super.row(id);
    return waits ? this.ready.then(write) : attempt(write);
  }

  #edit(id: string, fields: E, options: PatchOptions): Promise<m.PushAck | m.FieldPushAck> {
    const edit = editOf(this.#shape, fields as object, options.delete, this.#isWhole);
    const row = super.row(id);
    const after = this.#judged(edit, row?.data);
    if (!this.#isWhole) {
      return super.patch(id, edit.values as Patch<T>, { ...options, delete: edit.gone });
    }
    if (!row) throw notHeld(this.entity, id);
    const { baseVersion } = options;
    if (baseVersion === undefined) return super.replace(id, after as T);
    return super.set(id, after as T, { baseVersion });
  }

  /** The same as `edit`. */
  override patch(
    id: string,
    fields: Patch<T>,
    options: PatchOptions = {},
  ): Promise<m.FieldPushAck> {
    return this.edit(id, fields as E, options) as Promise<m.FieldPushAck>;
  }

  /** The record as it would be, which breaks no rule. */
  #judged(edit: Edit, held: unknown): object {
    const isHeld = isObject(held);
    const after = edited(isHeld ? held : {}, edit);
    if (isHeld && this.#isWhole) return this.#replacing(held, after);
    // Of what is not here only new values can be judged, each by itself.
    const names = [...edit.names].filter((name) => isHeld || !edit.operated.has(name));
    return this.#judge(after, names, !isHeld);
  }

  /** What breaks no rule, as far as it has changed. */
  #judge(data: object, changed: readonly string[], isAlone = false): object {
    const found = judgeFirst(this.#shape.rules, data, {
      changed,
      now: BigInt(Date.now()) * 1_000_000n,
    });
    const wrong = found.filter(({ field }) => field || !isAlone);
    if (wrong.length) throw invalid(wrong);
    return data;
  }

  /**
   * The commits of a record; see `Collection.history`. Of a commit that left something else than
   * the schema says, `data` is null, as after a delete.
   */
  override async history(id: string, options: HistoryOptions = {}): Promise<RecordHistory<T>> {
    const history = await super.history(id, options);
    return { ...history, commits: history.commits.map((each) => this.#commit(id, each)) };
  }

  #commit(id: string, commit: RecordCommit<T>): RecordCommit<T> {
    if (!isObject(commit.data)) return commit;
    try {
      return { ...commit, data: this.#typed(id, commit.data) };
    } catch {
      return { ...commit, data: null } as RecordCommit<T>;
    }
  }
}

function notHeld(entity: string, id: string): RhtmxError {
  const words =
    "records of this entity are written as a whole, so read it before you edit it: " +
    "'await synced' waits until all of them are here";
  return new RhtmxError("not_found", `'${entity}/${id}' is not known here: ${words}`);
}
