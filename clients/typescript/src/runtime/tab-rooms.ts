/**
 * The rooms of one tab: who in it wants to be in which, and what was told of them.
 *
 * Knows those who want something in this tab. Must not know the other tabs, nor the connection.
 */
import type { Stop } from "../core/options.ts";
import type { RoomNow, RoomWish } from "../core/room.ts";
import { UNKNOWN_ROOM, wishOf } from "../core/room.ts";
import type { TabMessage } from "../core/tab-messages.ts";

interface Place {
  readonly wishes: Map<object, RoomWish>;
  said?: RoomWish | undefined;
  /** The server has put the client out; those who watch wait until somebody wants in again. */
  out?: boolean | undefined;
}

/** What a tab has of rooms. */
export class TabRooms {
  readonly #tab: string;
  readonly #send: (message: TabMessage) => void;
  readonly #places = new Map<string, Place>();
  readonly #known = new Map<string, RoomNow>();

  /** @param tab its prefix. */
  constructor(tab: string, send: (message: TabMessage) => void) {
    this.#tab = tab;
    this.#send = send;
  }

  /** What is known of a room; the same object as long as nothing changed. */
  now(room: string): RoomNow {
    return this.#known.get(room) ?? UNKNOWN_ROOM;
  }

  /**
   * Somebody wants to be in a room, or wants something else there, until what is returned is called.
   *
   * @param asked it asks the server itself.
   */
  want(room: string, who: object, wish: RoomWish, asked?: boolean): Stop {
    const place: Place = this.#places.get(room) ?? { wishes: new Map() };
    this.#places.set(room, place);
    place.wishes.delete(who);
    place.wishes.set(who, wish);
    place.out = false;
    this.#say(room, place, asked);
    return () => this.leave(room, who);
  }

  /** Somebody wants nothing of a room any more. */
  leave(room: string, who: object): void {
    const place = this.#places.get(room);
    if (!place?.wishes.delete(who)) return;
    if (place.wishes.size) return place.out ? undefined : this.#say(room, place);
    this.#places.delete(room);
    this.#known.delete(room);
    this.#send({ type: "exit", room, tab: this.#tab });
  }

  /** Something was told of a room. Returns whether anybody here wants to know. */
  take(room: string, now: RoomNow): boolean {
    const place = this.#places.get(room);
    if (!place) return false;
    if (now.error) this.#out(room, place);
    this.#known.set(room, now);
    return true;
  }

  /** Wants nothing of any room any more. */
  close(): void {
    for (const [room, { wishes }] of this.#places)
      for (const who of wishes.keys()) this.leave(room, who);
  }

  /** Says everything to a new leader. */
  again(): void {
    for (const [room, place] of this.#places) {
      place.said = undefined;
      if (!place.out) this.#say(room, place);
    }
  }

  /** Who was a member has to say so again. */
  #out(room: string, place: Place): void {
    for (const [who, { watch }] of place.wishes) if (!watch) place.wishes.delete(who);
    if (!place.wishes.size) this.#places.delete(room);
    place.out = true;
    place.said = undefined;
  }

  #say(room: string, place: Place, asked?: boolean): void {
    const wish = wishOf(place.wishes)!;
    if (wish === place.said) return;
    place.said = wish;
    this.#send({ type: "enter", room, tab: this.#tab, wish, asked });
  }
}
