/**
 * Writes tasks, says what failed, and offers to undo what would be lost.
 *
 * Knows the calls of the client. Must not know the page.
 */

import type { Collection, JsonValue, OpenConflict } from "../src/index.ts";
import type { Notices } from "./notices.ts";
import type { Fields, Task } from "./task.ts";
import { newTask } from "./task.ts";
import { conflictInWords, inWords, removedInWords } from "./words.ts";

/** See the head of the file. */
export class Edits {
  readonly #tasks: Pick<Collection, "set" | "patch" | "delete" | "row">;
  readonly #notices: Pick<Notices, "show">;

  constructor(
    tasks: Pick<Collection, "set" | "patch" | "delete" | "row">,
    notices: Pick<Notices, "show">,
  ) {
    this.#tasks = tasks;
    this.#notices = notices;
  }

  /** Makes a task. */
  add(id: string, title: string): void {
    this.#run(`“${title}” was not added`, this.#tasks.patch(id, newTask(title)));
  }

  /**
   * Writes some fields of a task.
   *
   * @param seen the version of the task that the user saw on beginning to write; 0 if
   * the server had not told it yet: then whatever others wrote is news to the user.
   */
  edit(id: string, fields: Fields, seen: number): void {
    const [name, value] = Object.entries(fields)[0] ?? ["", ""];
    const done = this.#tasks.patch(id, fields, { baseVersion: seen });
    this.#run(`${inWords(name, value)} was not saved`, done);
  }

  /** Removes a task, and offers to bring it back as it was shown. */
  remove({ id, title }: Task): void {
    const data = this.#tasks.row(id)?.data;
    this.#run(`${inWords("title", title)} was not deleted`, this.#tasks.delete(id));
    const act = () => this.#restore(id, title, data ?? newTask(title));
    this.#notices.show(`${inWords("title", title)} was deleted.`, { label: "Undo", act });
  }

  /**
   * A task went while the user was writing in it.
   *
   * @param written what was typed and is not saved, by field.
   */
  gone(task: Task, written: Fields): void {
    const [draft] = Object.values(written);
    if (typeof draft !== "string") return;
    const data = { ...fieldsOf(task), ...written };
    const act = () => this.#restore(task.id, task.title, data);
    this.#notices.show(removedInWords(draft), { label: "Bring it back", act, keeps: true });
  }

  /**
   * A conflict about a task that is gone: there is no card to answer it on.
   *
   * @param task as it was shown last, if it was.
   */
  lost(conflict: OpenConflict, task?: Task): void {
    const { id, field = "", mine } = conflict;
    const words = `${conflictInWords(conflict)} Yours was ${inWords(field, mine)}.`;
    const act = () => {
      if (task) this.#restore(id, task.title, { ...fieldsOf(task), [field]: mine ?? "" });
      else this.keepMine(conflict);
    };
    this.#notices.show(words, { label: "Bring it back", act, keeps: true });
  }

  /** Answers a conflict with the value of the other window. */
  takeTheirs(conflict: OpenConflict): void {
    // A task has no field that is deleted: the other window removed the task.
    const done =
      conflict.theirs === undefined ? this.#tasks.delete(conflict.id) : conflict.takeTheirs();
    this.#run("The answer was not saved", done);
  }

  /** Answers it with the value of this window. */
  keepMine(conflict: OpenConflict): void {
    this.#run("The answer was not saved", conflict.keepMine());
  }

  /** Answers it with one value made out of both. */
  merge(conflict: OpenConflict, text: string): void {
    this.#run(`${inWords("", text)} was not saved`, conflict.merge(text));
  }

  #restore(id: string, title: string, data: JsonValue): void {
    this.#run(`${inWords("title", title)} was not brought back`, this.#tasks.set(id, data));
  }

  #run(what: string, done: Promise<unknown>): void {
    done.catch((error: Error) => this.#notices.show(`${what}: ${error.message}`));
  }
}

function fieldsOf({ title, assignee, notes, column }: Task): Fields {
  return { title, assignee, notes, column };
}
