/**
 * What the page says about tasks.
 *
 * Knows words. Must not know the page or the connection.
 */
import type { Conflict, JsonValue } from "../src/index.ts";

/** A value of a field, as a reader would say it. */
export function inWords(field: string, value: JsonValue | undefined): string {
  if (field === "done") return value === true ? "done" : "not done";
  if (value === undefined || value === null || value === "") return "nothing";
  return `“${typeof value === "string" ? value : JSON.stringify(value)}”`;
}

/** A conflict of a write of this window: whose value the field has now, and which it lost. */
export function conflictInWords(conflict: Conflict): string {
  const { field = "", winner } = conflict;
  const [mine, theirs] = [inWords(field, conflict.mine), inWords(field, conflict.theirs)];
  const name = NAMES[field] ?? field;
  if (conflict.theirs === undefined && winner === "server") {
    return `${name}: ${mine} was not saved, because another window has removed the task.`;
  }
  if (conflict.theirs === undefined) {
    return `${name}: another window had removed the task; your ${mine} brought it back.`;
  }
  if (winner === "server") return `${name}: ${theirs} from another window stays, not your ${mine}.`;
  return `${name}: your ${mine} replaced ${theirs}, which another window saved meanwhile.`;
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

const NAMES: Readonly<Record<string, string>> = {
  title: "Title",
  assignee: "Assigned to",
  done: "Done",
};
