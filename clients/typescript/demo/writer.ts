/**
 * Writes tasks, and says what came of it.
 *
 * Knows the calls of the client. Must not know the page.
 */
import { conflictInWords, inWords } from "./words.ts";
import type { Collection, OpenConflict } from "../src/index.ts";
import type { Fields } from "./board.ts";
import type { Notices, Remedy } from "./notices.ts";

/** See the head of the file. */
export class Writer {
  readonly #tasks: Pick<Collection<Fields>, "patch" | "delete">;
  readonly #notices: Pick<Notices, "show">;

  constructor(
    tasks: Pick<Collection<Fields>, "patch" | "delete" | "onConflict">,
    notices: Pick<Notices, "show">,
  ) {
    this.#tasks = tasks;
    this.#notices = notices;
    tasks.onConflict((conflict) => this.#tell(conflict));
  }

  /**
   * Writes some fields of a task.
   *
   * @param seen the version of the task that the user saw; left out for a new one.
   */
  edit(id: string, fields: Fields, seen?: number): void {
    const [first] = Object.entries(fields);
    this.#tasks
      .patch(id, fields, { baseVersion: seen || undefined })
      .catch((error: Error) => this.#failed(first && `${inWords(...first)} was not saved`, error));
  }

  /** Removes a task. */
  remove(id: string): void {
    this.#tasks.delete(id).catch((error: Error) => this.#failed("The task was not removed", error));
  }

  #failed(what: string | undefined, error: Error): void {
    this.#notices.show(`${what}: ${error.message}`);
  }

  #tell(conflict: OpenConflict): void {
    if (conflict.field === undefined) return;
    let remedy: Remedy = { label: "Use theirs", act: () => void conflict.takeTheirs() };
    if (conflict.winner === "server") {
      remedy = { label: "Use mine", act: () => void conflict.keepMine() };
    } else if (conflict.theirs === undefined) {
      // A task has no field that is missing: the other window removed it.
      remedy = { label: "Remove it", act: () => this.remove(conflict.id) };
    }
    this.#notices.show(conflictInWords(conflict), remedy);
  }
}
