/**
 * Pages without a script of their own: live entities as DOM events, forms by attribute.
 *
 * Knows attributes, and events that htmx 2 and 4 (and any other script) can wait
 * for. Must not know htmx, nor when to look at the page: see `page.ts`.
 */
import type { Member, Room } from "../api/room.ts";
import type { Fields } from "../core/build-message.ts";
import { inc } from "../core/operations.ts";
import type { ChangesOptions } from "../core/options.ts";
import type { PartValue, Where } from "../core/part.ts";
import { RhtmxError, type Violation } from "../errors.ts";
import { triggerOf } from "../forms/htmx-requests.ts";
import type { FormsClient } from "../forms/index.ts";
import { member } from "../forms/member.ts";
import type { ChangeLog } from "../messages/types.ts";
import type { Extra, Fire } from "./page.ts";
import { keepPage, marked, startPage } from "./page.ts";

/** What a page needs of a client; `Client` has it. */
export interface PageClient extends FormsClient {
  /** Calls with each change from now on; with null when something may have been missed. */
  changes(
    entity: string,
    listener: (change: ChangeLog | null) => void,
    options?: ChangesOptions,
  ): () => void;
  /** Writes some fields of a record. */
  pushFields(entity: string, entityId: string, fields: Fields): Promise<unknown>;
  /** Who is at a record now. */
  room(name: string): PageRoom;
}

/** What a page needs of a room; `Room` has it. */
export type PageRoom = Pick<Room, "members" | "me" | "error" | "subscribe" | "hold" | "release">;

/** The detail of `rhtmx:room`. */
export interface RoomDetail {
  /** The record: `orders/7`. */
  readonly room: string;
  /** Who is there. */
  readonly members: readonly Member[];
  /** This client among them, if it is a member. */
  readonly me?: Member | undefined;
  /** Why it is outside, if the server has put it there. */
  readonly error?: RhtmxError | undefined;
}

/** The detail of `rhtmx:ENTITY:changed`; nothing of what changed when something may have been missed. */
export type ChangedDetail = {
  /** The part that was watched, if it was not all of the entity. */
  readonly where?: Where;
} & (
  | { readonly [field in keyof ChangeLog]?: never }
  | (ChangeLog & {
      /** How many changes this event stands for; the others are older. */
      readonly count: number;
      /** Which records they concern. */
      readonly ids: readonly string[];
    })
);

/**
 * Milliseconds in which the changes of an entity become one event: a burst of a
 * thousand must not become a thousand requests. A timer, since animation frames
 * stop in a page that nobody looks at.
 */
const BURST = 50;

/** What `data-rhtmx-inc` says: an entity, a record, a field, and by how much. */
const INC = /^([^/]+)\/(.+)\/([^/]+?)(?::([^/:]+))?$/s;

/**
 * Keeps a page up to date, until the returned function is called: binds its forms
 * (`data-rhtmx-form="contact"`) and watches the entities that it names, in triggers
 * (`hx-trigger="rhtmx:tasks:changed from:body"`) or in `data-rhtmx-changes="tasks users"`,
 * and the parts of entities in `data-rhtmx-watch="orders?customer=7 orders?customer=8&open:=true"`:
 * values are texts, behind `:=` they are JSON; a field that is named twice may have either value.
 * A trigger in an element that watches parts of its entity is one of these only. What comes into the page later is found, what leaves it is let go.
 *
 * A click on an element with `data-rhtmx-inc="tasks/7/votes"` adds 1 to that field of that record,
 * on one with `data-rhtmx-inc="tasks/7/votes:-1"` what is behind the colon, as JSON; nothing else
 * comes of the click. If it is rejected, the element has the event `rhtmx:rejected`, detail
 * `{ error }`, which bubbles; and what a check of the server found wrong with a field stands in
 * `data-rhtmx-error="tasks/7/votes"`, with the record as a whole in `data-rhtmx-error="tasks/7"`,
 * until the next click of the kind, also where the place comes into the page later.
 *
 * An element with `data-rhtmx-room="orders/7"` has the event `rhtmx:room`, detail {@link RoomDetail},
 * which bubbles, whenever somebody comes to that record or leaves. With `data-rhtmx-member`, JSON,
 * this page is there, too, as the others see it by that: `data-rhtmx-member='{"name":"Ada"}'`.
 *
 * Events, on the body, from where they bubble to document and window, and without
 * bubbling on each element whose own trigger names them:
 *
 * - `rhtmx:tasks:changed`, detail {@link ChangedDetail}; at most one in 50 ms;
 * - `rhtmx:state`, detail `{ state }`.
 *
 * Those of forms, `rhtmx:validation`, come on the form and bubble from there. An
 * entity whose name has white space, a comma or `[` in it cannot be named in a page.
 *
 * @param root where to look; the document if left out.
 *
 * @example
 * bindPage(connect("/api/ws"));
 */
export function bindPage(client: PageClient, root: ParentNode & Node = document): () => void {
  return keepPage(client, root, (fire) => extrasOf(client, root, fire));
}

/** What is live in a page beside its forms. */
function extrasOf(client: PageClient, root: ParentNode & Node, fire: Fire): Extra {
  /** What ends it, for each entity and part that is watched. */
  const kept = new Map<string, () => void>();
  /** What was found wrong with a record by its last count: a place for it may come later. */
  const wrong = new Map<string, readonly Violation[]>();

  const watch = (watched: string) => {
    let burst: (ChangeLog | null)[] = [];
    const [entity, query] = watched.split("\0") as [string, string?];
    const part = query && { where: whereOf(query) };
    const tell = () => {
      const all = burst as ChangeLog[];
      burst = [];
      const ids = [...new Set(all.map((each) => each?.entity_id))];
      const known = !all.includes(null!) && { ...all.at(-1), count: all.length, ids };
      fire(`${entity}:changed`, { ...known, ...part }, (element) => {
        const parts = partsOf(element, watched);
        return parts.length ? parts.includes(watched) : !query;
      });
    };
    const changed = (change: ChangeLog | null) => {
      if (burst.push(change) === 1) setTimeout(tell, BURST);
    };
    return client.changes(entity, changed, part || undefined);
  };

  /** What each element shows, and what ends that. */
  const shown = new Map<HTMLElement, readonly [room: string, says: string, stop: () => void]>();

  const scanRooms = () => {
    const found = new Set(member(root, "querySelectorAll")<HTMLElement>("[data-rhtmx-room]"));
    const ended: (() => void)[] = [];
    for (const [element, [room, says, stop]] of shown) {
      const { rhtmxRoom, rhtmxMember = "" } = member(element, "dataset");
      if (found.has(element) && rhtmxRoom === room && rhtmxMember === says) found.delete(element);
      else if (shown.delete(element)) ended.push(stop);
    }
    for (const element of found) {
      const { rhtmxRoom = "", rhtmxMember = "" } = member(element, "dataset");
      shown.set(element, [rhtmxRoom, rhtmxMember, showRoom(client, element)]);
    }
    // Only now: whoever is there in other words from here on was never gone.
    for (const stop of ended) stop();
  };

  const scan = () => {
    const wanted = wantedIn(root);
    for (const [each, stop] of kept) {
      if (!wanted.has(each) && kept.delete(each)) stop();
    }
    for (const each of wanted) if (!kept.has(each)) kept.set(each, watch(each));
    for (const each of wrong) showViolations(root, ...each);
    scanRooms();
  };

  const judge = (record: string, violations: readonly Violation[]) => {
    showViolations(root, record, violations);
    if (violations.length) wrong.set(record, violations);
    else wrong.delete(record);
  };

  const count = (event: Event) => {
    const element = member(event.target as Element, "closest")<HTMLElement>("[data-rhtmx-inc]");
    if (!element) return;
    event.preventDefault();
    increment(client, judge, member(element, "dataset").rhtmxInc!).catch((error) => {
      // No place may be there for it: a name that is wrong would be silent.
      if (!error.violations?.length) console.error(error);
      const detail = { error };
      const rejected = new CustomEvent("rhtmx:rejected", { bubbles: true, detail });
      member(element, "dispatchEvent")(rejected);
    });
  };

  member(root, "addEventListener")("click", count);
  return {
    scan,
    stop() {
      member(root, "removeEventListener")("click", count);
      for (const stop of kept.values()) stop();
      for (const [, , stop] of shown.values()) stop();
    },
  };
}

/**
 * Starts by itself, from the script tag: connects as soon as the page has something
 * to keep up to date, to the tag's `data-url` (`/api/ws` if left out). Not with
 * `data-manual`: then the page calls `bindPage` with a client of its own.
 *
 * @param connect makes the client.
 * @param script the tag: `document.currentScript`, which is known only while the
 * script runs for the first time.
 */
export function start(
  connect: (url: string) => PageClient,
  script: HTMLOrSVGElement | null | undefined,
): void {
  startPage((url) => void bindPage(connect(url)), script);
}

/** Tells an element who is in its room, and has the page be there if it says so. */
function showRoom(client: PageClient, element: HTMLElement): () => void {
  const { rhtmxRoom: name = "", rhtmxMember: says } = member(element, "dataset");
  try {
    const room = client.room(name);
    const holder = {};
    if (says) room.hold(holder, JSON.parse(says));
    const stop = room.subscribe((members) => {
      const detail: RoomDetail = { room: name, members, me: room.me, error: room.error };
      const event = new CustomEvent("rhtmx:room", { bubbles: true, detail });
      member(element, "dispatchEvent")(event);
    });
    return () => {
      stop();
      room.release(holder);
    };
  } catch (error) {
    // A name that is wrong, or no JSON: the rest of the page goes on.
    console.error(error);
    return () => {};
  }
}

async function increment(
  client: PageClient,
  judge: (record: string, violations: readonly Violation[]) => void,
  text: string,
): Promise<void> {
  const found = INC.exec(text);
  if (!found) throw new RhtmxError("bad_message", "data-rhtmx-inc: not entity/record/field");
  const [, entity, id, field, by = "1"] = found;
  const record = `${entity}/${id}`;
  judge(record, []);
  try {
    await client.pushFields(entity!, id!, { [field!]: inc(JSON.parse(by)) });
  } catch (error) {
    const { violations, message } = error as RhtmxError;
    judge(record, violations?.length ? violations : [{ field: "", code: "", message }]);
    throw error;
  }
}

/** Shows what is wrong with a record in the places of its fields, and that nothing else is. */
function showViolations(root: ParentNode, record: string, violations: readonly Violation[]): void {
  for (const place of member(root, "querySelectorAll")<HTMLElement>("[data-rhtmx-error]")) {
    const name = place.dataset.rhtmxError!;
    if (name !== record && !name.startsWith(`${record}/`)) continue;
    const wrong = violations.find(({ field }) => field === name.slice(record.length + 1));
    const text = wrong?.message ?? "";
    place.ariaLive ||= "polite";
    // As text, whatever is in it; and only what is new, as who watches the page looks again.
    if (place.textContent !== text) place.textContent = text;
  }
}

/** The names of the entities and parts to watch. */
function wantedIn(root: ParentNode): Set<string> {
  const wanted = new Set<string>();
  for (const element of marked(root)) {
    const { rhtmxChanges = "" } = member(element, "dataset");
    for (const name of [...words(rhtmxChanges), ...partsOf(element)]) wanted.add(name);
    for (const match of triggerOf(element).matchAll(/rhtmx:([^\s,[]+):changed/g)) {
      if (!partsOf(element, match[1]).length) wanted.add(match[1]!);
    }
  }
  return wanted;
}

/**
 * The parts that an element watches, or the one around it: the entity, NUL, and what was asked for.
 *
 * @param watched a part, or an entity: only those of the same entity.
 */
function partsOf(element: HTMLElement, watched?: string): string[] {
  const around = member(element, "closest")<HTMLElement>("[data-rhtmx-watch]");
  const all = words((around && member(around, "dataset").rhtmxWatch) ?? "");
  const parts = all.map((each) => each.replace("?", "\0"));
  const entity = (name: string) => name.split("\0")[0];
  return watched ? parts.filter((each) => entity(each) === entity(watched)) : parts;
}

function whereOf(query: string): Where {
  const where = new Map<string, PartValue[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    const isJson = name.endsWith(":");
    const field = isJson ? name.slice(0, -1) : name;
    where.set(field, [...(where.get(field) ?? []), isJson ? JSON.parse(value) : value]);
  }
  const one = (values: PartValue[]) => (values.length > 1 ? values : values[0]!);
  return Object.fromEntries([...where].map(([field, values]) => [field, one(values)]));
}

function words(text: string): string[] {
  return text.match(/\S+/g) ?? [];
}
