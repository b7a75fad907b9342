/**
 * What the page says about tasks and the writes to them.
 *
 * Knows words. Must not know the page or the connection.
 */

import type { Conflict, JsonValue, Pending, TransactionWrite } from "../src/index.ts";
import { asText } from "./task.ts";

/** More characters than these of a value are not quoted in a sentence. */
const LONGEST = 200;

/** The entities that hold open conflicts. */
const LOG = "$conflicts/";

const FIELDS: Readonly<Record<string, string>> = {
  title: "Title",
  assignee: "Assigned to",
  notes: "Notes",
  column: "Column",
};

/** The columns as one reads them. */
export const COLUMN_WORDS: Readonly<Record<string, string>> = {
  todo: "To do",
  doing: "Doing",
  done: "Done",
};

/** The name of a field, as the page has it. */
export function fieldInWords(field: string): string {
  return Object.hasOwn(FIELDS, field) ? FIELDS[field]! : field;
}

/** A value of a field, as a reader would say it. */
export function inWords(field: string, value: JsonValue | undefined): string {
  const text = asText(value);
  if (text === "") return "nothing";
  if (field === "column" && Object.hasOwn(COLUMN_WORDS, text)) return `“${COLUMN_WORDS[text]}”`;
  return `“${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}”`;
}

/**
 * Whose value a field has after a conflict. Both values stand beside these words.
 *
 * @param isParty one of them was written here.
 */
export function conflictInWords(conflict: Conflict, isParty = true): string {
  const { field, mine, theirs, winner, stands } = conflict;
  const name = field === undefined ? "The record" : fieldInWords(field);
  const say = (words: string) => `${name}: ${words}.`;
  if (!stands) return say(`another window changed it, too; the server decided: “${winner}”`);
  if (!isParty) return say("two other windows wrote different values");
  const isFirst = (stands === "mine") === (winner === "server");
  if (stands === "mine") {
    if (theirs === undefined)
      return say("another window had removed the task; yours brought it back");
    return say(
      isFirst
        ? "yours stays, though another window wrote something else"
        : "yours replaced what another window saved meanwhile",
    );
  }
  if (theirs === undefined)
    return say("yours was not saved, because another window has removed the task");
  if (mine === undefined) return say("you had removed the task; another window brought it back");
  return say(
    isFirst ? "another window replaced yours" : "another window was first, so theirs stays",
  );
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

/** What a write does: `tasks/17: Title “Tea”, Notes nothing`. */
export function writeInWords(message: Pending["message"] | TransactionWrite): string {
  if ("writes" in message) return message.writes.map(writeInWords).join("; ");
  const { entity, entity_id, action, data, fields: updates }: TransactionWrite = message;
  const place = `${entity}/${entity_id}`;
  if (entity.startsWith(LOG)) return `${place.slice(LOG.length)}: a conflict answered`;
  if (updates) {
    const fields = updates.map(({ field, action, value }) => {
      return `${fieldInWords(field)} ${action === "delete" ? "removed" : inWords(field, value)}`;
    });
    return `${place}: ${fields.join(", ")}`;
  }
  if (action === "delete") return `${place}: deleted`;
  return `${place}: ${inWords("", data)}`;
}

/** Why a write was rejected. */
export function rejectionInWords(code: string, text: string): string {
  const words = Object.hasOwn(REJECTIONS, code) ? REJECTIONS[code]! : "The server rejected it";
  return `${words} (${code}: ${text}).`;
}

const REJECTIONS: Readonly<Record<string, string>> = {
  conflict: "Somebody else was first",
  invalid: "It would not be valid",
  invalid_data: "It does not fit the record",
  too_large: "It is too large",
  forbidden: "You may not do this",
  bad_message: "The server could not read it",
};

/** A number of bytes, roughly. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
