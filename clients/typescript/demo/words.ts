/**
 * What the page says about tasks and the writes to them.
 *
 * Knows words. Must not know the page or the connection.
 */

import { valueInWords } from "../inspector/values.ts";
import { clashInWords } from "../inspector/words.ts";
import type { Conflict, JsonValue } from "../src/index.ts";
import { fieldInWords } from "./task.ts";

/** The columns as one reads them. */
export const COLUMN_WORDS: Readonly<Record<string, string>> = {
  todo: "To do",
  doing: "Doing",
  done: "Done",
};

/** A value of a field, as a reader would say it. */
export function inWords(field: string, value: JsonValue | undefined): string {
  const word = typeof value === "string" ? value : "";
  const isColumn = field === "column" && Object.hasOwn(COLUMN_WORDS, word);
  return valueInWords(isColumn ? COLUMN_WORDS[word]! : value);
}

/**
 * Whose value a field has after a conflict. Both values stand beside these words.
 *
 * @param isParty one of them was written here.
 */
export function conflictInWords(conflict: Conflict, isParty = true): string {
  const { field } = conflict;
  const name = field === undefined ? "The record" : fieldInWords(field);
  return clashInWords(conflict, name, isParty, "task");
}

/** Who wrote something; `me` is the id of this client. */
export function authorInWords({ client_id, subject }: Author, me: string): string {
  if (client_id === me) return "you";
  if (subject) return subject;
  return client_id ? `another window (${client_id.slice(0, 4)})` : "the server";
}

interface Author {
  readonly client_id?: string | undefined;
  readonly subject?: string | undefined;
}

/** A task went while its field was being edited. */
export function removedInWords(draft: string): string {
  return `Another window removed the task while you were writing “${draft}”.`;
}

/** How much is not saved yet. */
export function savedInWords(waiting: number): string {
  if (waiting === 0) return "everything is saved";
  return waiting === 1 ? "1 change waits to be saved" : `${waiting} changes wait to be saved`;
}
