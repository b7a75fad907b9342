/**
 * A task, as the page uses it.
 *
 * Knows fields. Must not know the page or the connection.
 */
import type { JsonValue, Row } from "../src/index.ts";

/** One task. What others wrote into its fields may be anything: it is made to fit. */
export interface Task {
  readonly id: string;
  readonly title: string;
  readonly assignee: string;
  readonly done: boolean;
}

/** Some fields of a task, by name. */
export type Fields = Readonly<Record<string, JsonValue>>;

/** The task of a row. */
export function taskOf({ id, data }: Row<Fields>): Task {
  return { id, title: text(data["title"]), assignee: text(data["assignee"]), done: data["done"] === true };
}

function text(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
