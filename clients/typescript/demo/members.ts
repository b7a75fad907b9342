/**
 * The newest members.
 *
 * Knows their list on the page. Must not know how one becomes a member.
 */

import { find, setText } from "../inspector/dom.ts";
import { KeyedList } from "../inspector/keyed.ts";
import type { Collection, Row } from "../src/index.ts";
import { toDate } from "../src/wire/time.ts";
import type { Member } from "./schema/index.ts";

/** How many are shown. */
const MOST = 100;

/** One member, as the list shows it. */
export interface ShownMember extends Member {
  readonly name: string;
  readonly pending: boolean;
}

/** Reads a record. */
export function memberOf({ id, data, pending }: Row<Member>): ShownMember {
  return { ...data, name: id, pending };
}

/** The newest first, those without a moment last. */
export function newest(members: readonly ShownMember[], most: number): readonly ShownMember[] {
  const time = ({ joined }: Member) => toDate(joined)?.getTime() ?? 0;
  return [...members].sort((a, b) => time(b) - time(a)).slice(0, most);
}

/** Shows them, now and from now on. */
export function showMembers(members: Pick<Collection<Member>, "subscribe">): void {
  const list = find(document, "#members", HTMLElement);
  const shown = new KeyedList<ShownMember>(list, "member", ({ name }) => name, fill);
  members.subscribe((rows) => {
    shown.show(newest(rows.map(memberOf), MOST));
    // Nothing to scroll is nothing to stop at with the keyboard.
    list.parentElement!.hidden = rows.length === 0;
    const count = rows.length === 1 ? "1 member" : `${rows.length} members`;
    setText(find(document, "#members-count", HTMLElement), rows.length ? count : "Nobody yet.");
  });
}

function fill(element: HTMLElement, { name, joined, pending }: ShownMember): void {
  setText(find(element, ".name", HTMLElement), name);
  const moment = toDate(joined);
  const words = moment ? `since ${moment.toLocaleString()}` : "";
  setText(find(element, ".joined", HTMLElement), pending ? "not saved yet" : words);
  element.dataset.pending = String(pending);
}
