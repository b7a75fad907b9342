/**
 * Writes tasks: shows each write at once, sends it, and says what came of it.
 *
 * Knows the calls of the client. Must not know the page.
 */
import { conflictInWords, inWords } from "./words.ts";
import type { Client, FieldConflict, JsonValue } from "../src/index.ts";
import type { Board, Fields, Write } from "./board.ts";
import type { Notices, Remedy } from "./notices.ts";

/** The collection. */
export const ENTITY = "tasks";

/** What came of a write: its version, and the fields that lost. */
interface Outcome {
  readonly version: number;
  readonly lost: ReadonlySet<string>;
}

/** See the head of the file. */
export class Writer {
  readonly #client: Pick<Client, "pushFields" | "delete">;
  readonly #board: Board;
  readonly #notices: Pick<Notices, "show">;
  readonly #changed: (id: string) => void;
  /** The last write of each task, under way or done. */
  readonly #turns = new Map<string, Promise<void>>();
  /** The versions of this window's own writes, by task and field. */
  readonly #own = new Map<string, number>();

  /** @param changed called when a task is to be shown anew. */
  constructor(
    client: Pick<Client, "pushFields" | "delete">,
    board: Board,
    notices: Pick<Notices, "show">,
    changed: (id: string) => void,
  ) {
    this.#client = client;
    this.#board = board;
    this.#notices = notices;
    this.#changed = changed;
  }

  /**
   * Writes some fields of a task.
   *
   * @param seen the version of the task that the user saw; left out for a new one.
   */
  edit(id: string, fields: Fields, seen?: number): Promise<void> {
    const timestamp = new Date();
    return this.#write({ id, fields }, async () => {
      const own = this.#ownVersions(id, fields);
      const baseVersion = seen === undefined ? seen : Math.max(seen, ...own);
      const { ack, conflicts } = await this.#client.pushFields(ENTITY, id, fields, {
        timestamp,
        baseVersion,
      });
      const lost = new Set(conflicts.filter((each) => each.winner === "server").map(fieldOf));
      for (const field of Object.keys(fields)) this.#own.set(key(id, field), ack.version ?? 0);
      for (const conflict of conflicts) this.#tell(conflict);
      return { version: ack.version ?? 0, lost };
    });
  }

  /** Removes a task. */
  remove(id: string): Promise<void> {
    return this.#write({ id }, async () => {
      const { version } = await this.#client.delete(ENTITY, id);
      return { version, lost: new Set() };
    });
  }

  /** Sends a write after the one before it, so that what it builds on is known by then. */
  #write(write: Write, send: () => Promise<Outcome>): Promise<void> {
    const { id } = write;
    this.#board.begin(write);
    this.#changed(id);
    const turn = (this.#turns.get(id) ?? Promise.resolve())
      .then(send)
      .then(({ version, lost }) => this.#board.settle(write, version, lost))
      .catch((error: Error) => this.#failed(write, error))
      .then(() => this.#changed(id));
    this.#turns.set(id, turn);
    return turn;
  }

  #failed(write: Write, error: Error): void {
    this.#board.drop(write);
    const [first] = Object.entries(write.fields ?? {});
    const what = first ? `${inWords(...first)} was not saved` : "The task was not removed";
    this.#notices.show(`${what}: ${error.message}`);
  }

  #tell(conflict: FieldConflict): void {
    const { entity_id, field, server_value, client_value, version, winner } = conflict;
    const take = (value: JsonValue) => void this.edit(entity_id, { [field]: value }, version);
    let remedy: Remedy = { label: "Use theirs", act: () => take(server_value) };
    if (winner === "server") remedy = { label: "Use mine", act: () => take(client_value) };
    // A task has no field that is null: the other window removed it.
    else if (server_value === null) {
      remedy = { label: "Remove it", act: () => void this.remove(entity_id) };
    }
    this.#notices.show(conflictInWords(conflict), remedy);
  }

  #ownVersions(id: string, fields: Fields): number[] {
    return Object.keys(fields).map((field) => this.#own.get(key(id, field)) ?? 0);
  }
}

function key(id: string, field: string): string {
  return `${id} ${field}`;
}

function fieldOf(conflict: FieldConflict): string {
  return conflict.field;
}
