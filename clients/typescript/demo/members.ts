/**
 * The newest members.
 *
 * Knows their list on the page. Must not know how one becomes a member.
 */

import type { Collection, JsonValue, Row } from "../src/index.ts";
import { toDate } from "../src/wire/time.ts";
import { find, setText } from "./dom.ts";
import { KeyedList } from "./keyed.ts";
import { asText } from "./task.ts";

/** How many are shown. */
const MOST = 100;

/** One member. What others wrote may be anything: it is made to fit. */
export interface Member {
  readonly name: string;
  /** A moment as ISO 8601, or whatever else stands there. */
  readonly joined: string;
  readonly pending: boolean;
}

/** Reads a record. */
export function memberOf({ id, data, pending }: Row<JsonValue>): Member {
  const joined = data !== null && typeof data === "object" && "joined" in data ? data.joined : "";
  return { name: id, joined: asText(joined as JsonValue), pending };
}

/** The newest first, those whose moment is none last. */
export function newest(members: readonly Member[], most: number): readonly Member[] {
  const time = ({ joined }: Member) => toDate(joined)?.getTime() ?? 0;
  return [...members].sort((a, b) => time(b) - time(a)).slice(0, most);
}

/** Shows them, now and from now on. */
export function showMembers(members: Collection<JsonValue>): void {
  const list = find(document, "#members", HTMLElement);
  const shown = new KeyedList<Member>(list, "member", ({ name }) => name, fill);
  members.subscribe((rows) => {
    shown.show(newest(rows.map(memberOf), MOST));
    // Nothing to scroll is nothing to stop at with the keyboard.
    list.parentElement!.hidden = rows.length === 0;
    const count = rows.length === 1 ? "1 member" : `${rows.length} members`;
    setText(find(document, "#members-count", HTMLElement), rows.length ? count : "Nobody yet.");
  });
}

function fill(element: HTMLElement, { name, joined, pending }: Member): void {
  setText(find(element, ".name", HTMLElement), name);
  const moment = toDate(joined);
  const words = moment ? `since ${moment.toLocaleString()}` : joined;
  setText(find(element, ".joined", HTMLElement), pending ? "not saved yet" : words);
  element.dataset.pending = String(pending);
}
