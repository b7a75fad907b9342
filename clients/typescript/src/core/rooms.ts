/**
 * The rooms that the tabs of a client are in: what is said of them to the server, and who is there.
 *
 * Knows what each tab wants, and that all of them are one member. Must not know the connection.
 * A room is entered anew on each connection; who is there stays as it was until then.
 *
 * | what happens                  | outside    | inside                                       |
 * | ----------------------------- | ---------- | -------------------------------------------- |
 * | a tab enters                  | inside     | inside; asked if it wants something else     |
 * | a tab exits, or is gone       | -          | outside if it was the last one, else inside  |
 * | another connection            | -          | inside, asked again                          |
 * | refused, or closed            | -          | outside                                      |
 * | refused, but it may pass      | -          | inside                                       |
 */
import type { Refusal } from "../errors.ts";
import { plain } from "../errors.ts";
import type {
  RoomClosed,
  RoomJoin,
  RoomJoined,
  RoomMember,
  RoomMembers,
} from "../messages/types.ts";
import { checkFromClient } from "../wire/index.ts";
import type { Requests } from "./requests.ts";
import type { RoomNow, RoomWish } from "./room.ts";
import { joining, placeOf, UNKNOWN_ROOM, wishOf } from "./room.ts";
import type { Core } from "./streams.ts";

const nameOf = (place: { readonly entity: string; readonly entity_id: string }) =>
  `${place.entity}/${place.entity_id}`;

interface Room {
  /** By tab, the last one to say something at the end. */
  readonly wishes: Map<string, RoomWish>;
  said?: RoomWish | undefined;
  members: Map<string, RoomMember>;
  coming?: Map<string, RoomMember> | undefined;
  now: RoomNow;
}

/** Whose page was left is waited for, by the server, for a moment. */
const PAGE_LEFT = 4100;

const LEFT: Refusal = {
  code: "superseded",
  message: "the room was left before the server was asked",
  details: null,
};

/** All rooms of one client. */
export class Rooms {
  readonly #core: Core;
  readonly #requests: Requests;
  readonly #rooms = new Map<string, Room>();
  #questions = 0;

  constructor(core: Core, requests: Requests) {
    this.#core = core;
    this.#requests = requests;
  }

  /** A tab wants to be in a room, or wants something else there. `asked`: it asks itself. */
  enter(name: string, tab: string, wish: RoomWish, asked?: boolean): void {
    const fresh: Room = { wishes: new Map(), members: new Map(), now: UNKNOWN_ROOM };
    const room = this.#rooms.get(name) ?? fresh;
    this.#rooms.set(name, room);
    room.wishes.delete(tab);
    room.wishes.set(tab, wish);
    // It may be new, or may have missed something.
    if (room.now.known) this.#tell(name, room);
    if (asked) room.said = wish;
    else this.#say(name, room);
  }

  /** A tab wants nothing of a room any more. */
  exit(name: string, tab: string): void {
    const room = this.#rooms.get(name);
    if (!room?.wishes.delete(tab)) return;
    if (room.wishes.size) return this.#say(name, room);
    this.#rooms.delete(name);
    this.#requests.drop((question) => isOf(question, name), LEFT);
    this.#leave(name);
  }

  /** The close code of a page that is left. Where a tab is in a room, it may go on there. */
  get farewell(): number {
    return this.#rooms.size ? PAGE_LEFT : 1000;
  }

  /** A tab is there no more. */
  gone(tab: string): void {
    for (const name of this.#rooms.keys()) this.exit(name, tab);
  }

  /** A connection was welcomed: all rooms are entered again, but where that waits anyway. */
  begin(): void {
    for (const [name, room] of this.#rooms) {
      if (this.#requests.some((question) => isOf(question, name))) continue;
      room.said = undefined;
      this.#say(name, room);
    }
  }

  /** The server has let the client in. */
  joined(answer: RoomJoined): void {
    const name = nameOf(answer);
    const room = this.#rooms.get(name);
    if (!room || room.now.me === answer.member) return;
    room.now = { ...room.now, me: answer.member };
    this.#tell(name, room);
  }

  /** The server has refused to let it in, and not only for now. */
  refused(question: RoomJoin, { code, message, details = null }: Refusal): void {
    const name = nameOf(question);
    // Unless something else was said since, which has no answer yet.
    if (this.#requests.some((other) => other !== question && isOf(other, name))) return;
    this.#refuse(name, { code, message, details });
  }

  /** Something was told of who is there. */
  told(message: RoomMembers | RoomClosed): void {
    const name = nameOf(message);
    const room = this.#rooms.get(name);
    if (!room) return;
    if (message.type === "room_closed") {
      // What is asked now is answered as it is now.
      if (this.#requests.some((question) => isOf(question, name))) return;
      const { code = "not_found", message: words } = message;
      return this.#out(name, { code, message: words, details: null });
    }
    const { members = [], gone = [], reset, more } = message;
    // Before a reset comes what was on its way when the room was left.
    if (!reset && !room.coming && !room.now.known) return;
    const found = reset ? new Map<string, RoomMember>() : (room.coming ?? room.members);
    for (const member of members) found.set(member.id, member);
    for (const id of gone) found.delete(id);
    room.coming = more ? found : undefined;
    if (more) return;
    room.members = found;
    room.now = { ...room.now, members: [...found.values()], known: true };
    this.#tell(name, room);
  }

  #say(name: string, room: Room): void {
    const wish = wishOf(room.wishes)!;
    if (wish === room.said) return;
    room.said = wish;
    const question = joining(name, wish);
    try {
      checkFromClient(question);
    } catch (error) {
      return this.#refuse(name, plain(error));
    }
    this.#requests.add(`room-${++this.#questions}`, question);
  }

  #refuse(name: string, error: Refusal): void {
    this.#out(name, error);
    this.#leave(name); // it may still be there as before
  }

  #leave(name: string): void {
    this.#core.send({ type: "room_leave", ...placeOf(name) });
  }

  #out(name: string, error: Refusal): void {
    if (this.#rooms.delete(name))
      this.#core.tell({ type: "room", room: name, now: { members: [], error } });
  }

  #tell(room: string, { now }: Room): void {
    this.#core.tell({ type: "room", room, now });
  }
}

const isOf = (question: { readonly type: string }, room: string) =>
  question.type === "room_join" && nameOf(question as RoomJoin) === room;
