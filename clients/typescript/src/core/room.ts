/**
 * What is said of one room between the parts of a client.
 *
 * Knows words, names and wishes. Must not know who says them.
 */
import type { Refusal } from "../errors.ts";
import type { JsonValue, RoomJoin, RoomMember } from "../messages/types.ts";

/** What is wanted of a room: to be there with a state, or only to watch. */
export interface RoomWish {
  /** What the others see. */
  readonly state?: JsonValue | undefined;
  /** Only sees who is there. */
  readonly watch?: boolean | undefined;
}

/** What is known of a room. */
export interface RoomNow {
  /** Who is there; the same array as long as that is the same. */
  readonly members: readonly RoomMember[];
  /** The id of this client there, if it is a member. */
  readonly me?: string | undefined;
  /** It is known who is there. */
  readonly known?: boolean | undefined;
  /** Why this client is outside, if somebody has put it there. */
  readonly error?: Refusal | undefined;
}

/** A room of which nothing is known. */
export const UNKNOWN_ROOM: RoomNow = { members: [] };

const WATCH: RoomWish = { watch: true };

/** What several want together: to be there as the last of them says; else to watch. */
export function wishOf(wishes: ReadonlyMap<unknown, RoomWish>): RoomWish | undefined {
  const all = [...wishes.values()].reverse();
  // All who watch want the same.
  return all.find(({ watch }) => !watch) ?? (all.length ? WATCH : undefined);
}

/** The entity and the id of the record, in the name of a room: `orders/7`. */
export function placeOf(room: string): { readonly entity: string; readonly entity_id: string } {
  const at = room.indexOf("/");
  return { entity: room.slice(0, at), entity_id: room.slice(at + 1) };
}

/** What is asked to enter a room. */
export function joining(room: string, wish: RoomWish): RoomJoin {
  return { type: "room_join", ...placeOf(room), ...wish };
}
