/**
 * What a task is.
 *
 * Knows its fields and columns. Must not know the page or the connection.
 */

import type { JsonValue, Row } from "../src/index.ts";
import { writeJson } from "../src/wire/value.ts";

/** The collection. */
export const ENTITY = "tasks";

/** The columns of the board, from left to right, as they are stored. */
export const COLUMNS = ["todo", "doing", "done"] as const;

/** One of them. */
export type Column = (typeof COLUMNS)[number];

/** The fields that are edited as text. */
export const TEXTS = ["title", "assignee", "notes"] as const;

/** One of them. */
export type TextName = (typeof TEXTS)[number];

/** Some fields of a task, by name. */
export type Fields = Readonly<Record<string, JsonValue>>;

/** One task. */
export interface Task extends Readonly<Record<TextName, string>> {
  readonly id: string;
  readonly column: Column;
  /** The version that the server told last; 0 if it does not know the task yet. */
  readonly version: number;
  /** Whether something of what is shown is not saved yet. */
  readonly pending: boolean;
}

/** Reads a record. What others wrote into it may be anything: it is made to fit. */
export function taskOf({ id, data, version, pending }: Row<JsonValue>): Task {
  const fields = fieldsOf(data);
  return {
    id,
    title: asText(fields.title ?? (fields === NONE ? data : "")),
    assignee: asText(fields.assignee),
    notes: asText(fields.notes),
    column: columnOf(fields.column),
    version,
    pending,
  };
}

/** The fields of a new task. */
export function newTask(title: string): Fields {
  return { title, assignee: "", notes: "", column: "todo" };
}

/** Any value as a text; nothing is an empty one. */
export function asText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : writeJson(value);
}

/**
 * An id that nobody else makes; later ones sort after earlier ones.
 *
 * @param now milliseconds since 1970.
 * @param random two random numbers of 32 bits.
 */
export function newId(now: number, random: Iterable<number>): string {
  const parts = [...random].map((part) => part.toString(36).padStart(7, "0"));
  return [now.toString(36).padStart(9, "0"), ...parts].join("-");
}

const NONE: Fields = {};

function fieldsOf(data: JsonValue): Fields {
  return typeof data === "object" && data !== null && !Array.isArray(data)
    ? (data as Fields)
    : NONE;
}

function columnOf(value: JsonValue | undefined): Column {
  return COLUMNS.find((column) => column === value) ?? "todo";
}
