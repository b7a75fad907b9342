/**
 * The tasks, as this window sees them: what the server told, and on top of it
 * what this window wrote and the server has not answered yet.
 *
 * Knows fields and versions. Must not know the page or the connection.
 */
import type { FieldChangeLog, JsonValue } from "../src/index.ts";

/** One task. What others wrote into its fields may be anything: it is made to fit. */
export interface Task {
  readonly id: string;
  readonly title: string;
  readonly assignee: string;
  readonly done: boolean;
}

/** Some fields of a task, by name. */
export type Fields = Readonly<Record<string, JsonValue>>;

/** A write that was not answered yet. Without fields the task is to go. */
export interface Write {
  readonly id: string;
  readonly fields?: Fields;
}

/** A field's last value, undefined once it is deleted, and the version that brought it. */
interface Cell {
  readonly value: JsonValue | undefined;
  readonly version: number;
}

/** See the head of the file. */
export class Board {
  readonly #records = new Map<string, Map<string, Cell>>();
  readonly #writes = new Set<Write>();
  #version = 0;

  /** The last version of the log that was seen. */
  get version(): number {
    return this.#version;
  }

  /** How many writes have no answer yet. */
  get waiting(): number {
    return this.#writes.size;
  }

  /** Every task that there is or was, in no order. */
  get ids(): string[] {
    return [...new Set([...this.#records.keys(), ...[...this.#writes].map(({ id }) => id)])];
  }

  /** The task, or undefined if it is not there. */
  task(id: string): Task | undefined {
    const fields = this.#fields(id);
    if (fields.size === 0) return undefined;
    return {
      id,
      title: text(fields.get("title")),
      assignee: text(fields.get("assignee")),
      done: fields.get("done") === true,
    };
  }

  /** The version of the task that the server told last; 0 for none. */
  versionOf(id: string): number {
    const cells = this.#records.get(id)?.values() ?? [];
    return Math.max(0, ...[...cells].map(({ version }) => version));
  }

  /** The server tells a change. */
  apply(log: FieldChangeLog): void {
    const value = log.action === "delete" ? undefined : log.value;
    this.#set(log.entity_id, log.field, { value, version: log.version });
  }

  /** The server has told everything up to this version. */
  reached(version: number): void {
    this.#version = Math.max(this.#version, version);
  }

  /** The server will tell everything anew. */
  reset(): void {
    this.#records.clear();
    this.#version = 0;
  }

  /** This window writes: shown at once. */
  begin(write: Write): void {
    this.#writes.add(write);
  }

  /** The write is durable under `version`, except for the fields that `lost`. */
  settle(write: Write, version: number, lost: ReadonlySet<string>): void {
    this.#writes.delete(write);
    const names = write.fields ?? Object.fromEntries(this.#records.get(write.id) ?? []);
    for (const field of Object.keys(names)) {
      if (!lost.has(field)) this.#set(write.id, field, { value: write.fields?.[field], version });
    }
  }

  /** The write failed. */
  drop(write: Write): void {
    this.#writes.delete(write);
  }

  /** What arrives late, such as an answer after the change that followed it, changes nothing. */
  #set(id: string, field: string, cell: Cell): void {
    const record = this.#records.get(id) ?? new Map<string, Cell>();
    if ((record.get(field)?.version ?? 0) <= cell.version) record.set(field, cell);
    this.#records.set(id, record);
    this.reached(cell.version);
  }

  #fields(id: string): Map<string, JsonValue> {
    const fields = new Map<string, JsonValue>();
    for (const [field, { value }] of this.#records.get(id) ?? []) {
      if (value !== undefined) fields.set(field, value);
    }
    for (const write of this.#writes) {
      if (write.id !== id) continue;
      if (write.fields === undefined) fields.clear();
      for (const [field, value] of Object.entries(write.fields ?? {})) fields.set(field, value);
    }
    return fields;
  }
}

function text(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
