/**
 * Writes tasks, says what failed, and offers to undo what would be lost.
 *
 * Knows the calls of the client. Must not know the page.
 */

import type { OpenConflict } from "../src/index.ts";
import type { Notices } from "./notices.ts";
import type { TaskPast } from "./past.ts";
import type { Task } from "./schema/index.ts";
import type { Fields, ShownTask, Tasks } from "./task.ts";
import { fieldsOf, NO_TASK, reasonInWords } from "./task.ts";
import { conflictInWords, inWords, removedInWords } from "./words.ts";

/** What is used of the collection. */
type Used = Pick<
  Tasks,
  "create" | "set" | "edit" | "delete" | "row" | "blame" | "history" | "undo"
>;

const UNANSWERED = "The answer was not saved";

/** See the head of the file. */
export class Edits {
  readonly #tasks: Used;
  readonly #notices: Pick<Notices, "show">;

  constructor(tasks: Used, notices: Pick<Notices, "show">) {
    this.#tasks = tasks;
    this.#notices = notices;
  }

  /** Makes a task. */
  add(title: string): void {
    this.#run(`${inWords("title", title)} was not added`, this.#tasks.create({ title }));
  }

  /**
   * Writes some fields of a task.
   *
   * @param seen the version of the task that the user saw on beginning to write; 0 if
   * the server had not told it yet: then whatever others wrote is news to the user.
   */
  edit(id: string, fields: Fields, seen: number): void {
    const [name, value] = Object.entries(fields)[0] ?? ["", ""];
    const done = this.#tasks.edit(id, fields, { baseVersion: seen });
    this.#run(`${inWords(name, value)} was not saved`, done);
  }

  /** Removes a task, and offers to bring it back as it was shown. */
  remove({ id, title }: ShownTask): void {
    const data = this.#tasks.row(id)?.data;
    this.#run(`${inWords("title", title)} was not deleted`, this.#tasks.delete(id));
    const act = () => this.#restore(id, data ?? { ...NO_TASK, title });
    this.#notices.show(`${inWords("title", title)} was deleted.`, { label: "Undo", act });
  }

  /**
   * A task went while the user was writing in it.
   *
   * @param written what was typed and is not saved, by field.
   */
  gone(task: ShownTask, written: Fields): void {
    const [draft] = Object.values(written);
    if (typeof draft !== "string") return;
    const data = { ...fieldsOf(task), ...written };
    const act = () => this.#restore(task.id, data);
    this.#notices.show(removedInWords(draft), { label: "Bring it back", act, keeps: true });
  }

  /**
   * What was written here has lost, and its task is gone: there is no card to answer it on.
   *
   * @param task as it was shown last, if it was.
   */
  lost(conflict: OpenConflict, task?: ShownTask): void {
    const { id, field = "", mine } = conflict;
    const words = `${conflictInWords(conflict)} Yours was ${inWords(field, mine)}.`;
    const act = () => {
      if (!task) return this.keepMine(conflict);
      this.#restore(id, { ...fieldsOf(task), [field]: mine ?? "" });
      this.leave(conflict);
    };
    const dismissed = () => this.leave(conflict);
    this.#notices.show(words, { label: "Bring it back", act, dismissed, keeps: true });
  }

  /** Answers a conflict with the value of the other window. */
  takeTheirs(conflict: OpenConflict): void {
    if (conflict.theirs === undefined) this.#take(conflict);
    else this.#run(UNANSWERED, conflict.takeTheirs());
  }

  /** Answers it with the value of this window. */
  keepMine(conflict: OpenConflict): void {
    if (conflict.mine === undefined) this.#take(conflict);
    else this.#run(UNANSWERED, conflict.keepMine());
  }

  /** Leaves it as it is, and has it answered. */
  leave(conflict: OpenConflict): void {
    this.#run(UNANSWERED, conflict.keepStanding());
  }

  /** Answers it as the one who had removed the task. */
  #take(conflict: OpenConflict): void {
    this.leave(conflict);
    this.#run(UNANSWERED, this.#tasks.delete(conflict.id));
  }

  /** Finds out who wrote which field of a task, and how its last change is taken back. */
  async past(id: string): Promise<TaskPast> {
    const [authors, { commits }] = await Promise.all([
      this.#tasks.blame(id),
      this.#tasks.history(id, { limit: 1 }),
    ]);
    const [last] = commits;
    const undo = () => this.#run("It was not undone", this.#tasks.undo(id, last!.version));
    const fields = Object.keys(authors).map((field) => authors[field]!);
    return {
      authors: fields,
      undo: last?.changed.length && last.action === "update" ? undo : undefined,
    };
  }

  /** Answers it with one value made out of both. */
  merge(conflict: OpenConflict, text: string): void {
    this.#run(`${inWords("", text)} was not saved`, conflict.merge(text));
  }

  #restore(id: string, data: Task): void {
    const what = `${inWords("title", data.title)} was not brought back`;
    this.#run(what, this.#tasks.set(id, data));
  }

  #run(what: string, done: Promise<unknown>): void {
    done.catch((error: Error) => this.#notices.show(`${what}: ${reasonInWords(error)}`));
  }
}
