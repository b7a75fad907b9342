/**
 * What a task is on the board.
 *
 * Knows its fields and columns, by the schema. Must not know the page or the connection.
 */

import { violationInWords } from "../inspector/words.ts";
import { RhtmxError, type Row, type TypedCollection, type Violation } from "../src/index.ts";
import { judge } from "../src/schema.ts";
import { Column, Task, type TaskEdit, type TaskNew } from "./schema/index.ts";

/** The tasks, as the client has them. */
export type Tasks = TypedCollection<Task, TaskNew, TaskEdit>;

/** The columns of the board, from left to right, as they are stored. */
export const COLUMNS = [Column.TODO, Column.DOING, Column.DONE] as const;

/** The fields that are edited as text. */
export const TEXTS = ["title", "assignee", "notes"] as const;

/** One of them. */
export type TextName = (typeof TEXTS)[number];

/** Some fields of a task, by name. */
export type Fields = Partial<Task>;

/** One task, as a card shows it. */
export interface ShownTask extends Task {
  readonly id: string;
  readonly column: (typeof COLUMNS)[number];
  /** The version that the server told last; 0 if it does not know the task yet. */
  readonly version: number;
  /** Whether something of what is shown is not saved yet. */
  readonly pending: boolean;
}

/** A task of which nothing is known. */
export const NO_TASK: Task = { title: "", assignee: "", notes: "", column: Column.TODO };

/** Reads a record. A column that only a newer schema has is shown as the first one. */
export function taskOf({ id, data, version, pending }: Row<Task>): ShownTask {
  const { title, assignee, notes } = data;
  const column = COLUMNS.find((each) => each === data.column) ?? Column.TODO;
  return { id, title, assignee, notes, column, version, pending };
}

/** The fields of a task, without what only the board knows of it. */
export function fieldsOf({ title, assignee, notes, column }: Task): Task {
  return { title, assignee, notes, column };
}

/** A field as people call it: its label in the schema. */
export function fieldInWords(field: string): string {
  return LABELS.get(field) ?? field;
}

const LABELS: ReadonlyMap<string, string> = new Map(
  Task.rules.fields.map(([name, , , , { label = name } = {}]) => [name, label]),
);

/** What is wrong with a field of a task by the rules of the schema, in words; empty if it is right. */
export function wrongWith(task: Task, changed: keyof Task): string {
  const now = BigInt(Date.now()) * 1_000_000n;
  return inWords(judge(Task.rules, fieldsOf(task), { changed: [changed], now }));
}

/** Why something was not done: what the schema says of it, if it is that. */
export function reasonInWords(error: Error): string {
  const found = error instanceof RhtmxError ? error.violations : [];
  return found.length ? inWords(found) : error.message;
}

function inWords(violations: readonly Violation[]): string {
  return violations.map((each) => violationInWords(each, fieldInWords, "The task")).join(" ");
}
