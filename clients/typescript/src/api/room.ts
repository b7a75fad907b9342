/**
 * A room as an application uses it: who is at a record now, and what they tell one another.
 *
 * Knows the calls. Must not know how anything is said to the server: the tab does.
 */
import type { Stop } from "../core/options.ts";
import { joining, placeOf } from "../core/room.ts";
import { RhtmxError, typed } from "../errors.ts";
import type * as m from "../messages/types.ts";
import { tell } from "../runtime/ephemeral.ts";
import type { Tab } from "../runtime/tab.ts";
import { checkFromClient } from "../wire/index.ts";

/** One member of a room. */
export interface Member<S = m.JsonValue> {
  /** Tells it from the others; the same after a reconnect. It is not the client's id. */
  readonly id: string;
  /** The user for whom it acts, as the server has found out; undefined if nobody is asked. */
  readonly subject?: string | undefined;
  /** What it says of itself. */
  readonly state?: S | undefined;
}

/** The name of a room, if it is one. */
export function checkedRoom(name: string): string {
  const { entity, entity_id } = placeOf(name);
  if (name.includes("/") && entity && entity_id) return name;
  throw new RhtmxError("bad_message", `a room is called as its record: orders/7, not ${name}`);
}

/**
 * Who is at a record now; see `Client.room`. Whoever may read the record may be there. All tabs of
 * a client are one member; after a lost connection it is there again by itself.
 */
export class Room<S = m.JsonValue> {
  /** The entity and the id of the record: `orders/7`. */
  readonly name: string;
  readonly #tab: Tab;
  #asks = 0;

  /** @internal `Client.room` makes it. */
  constructor(tab: Tab, name: string) {
    this.#tab = tab;
    this.name = name;
  }

  /** Who is there, as far as it is known; the same array as long as nothing changed. */
  get members(): readonly Member<S>[] {
    return this.#tab.rooms.now(this.name).members as readonly Member<S>[];
  }

  /** This client, as the others see it; undefined if it is no member. */
  get me(): Member<S> | undefined {
    const { me } = this.#tab.rooms.now(this.name);
    return this.members.find(({ id }) => id === me);
  }

  /** Why this client is outside, if the server has put it there. */
  get error(): RhtmxError | undefined {
    const { error } = this.#tab.rooms.now(this.name);
    return error && typed(error);
  }

  /**
   * Is a member, until `leave`; or, as a member, says something else of itself. Resolves when the
   * server has taken it; without a connection it waits for one.
   *
   * @param state what the others see, at most 4,096 bytes.
   * @throws RhtmxError `not_found`, `forbidden`: this client may not read the record, or there is
   *   none; `too_many_subscriptions`: the room is full, or this client is in too many: it is
   *   outside then. `bad_message`: the state is too large, or no JSON.
   *
   * @example
   * await client.push("users", "1", { name: "Ada" });
   * const room = client.room<{ name: string }>("users/1");
   * room.subscribe((members) => console.log(members.map(({ state }) => state?.name)));
   * await room.join({ name: "Ada" });
   */
  async join(state?: S): Promise<void> {
    const wish = { state: state as m.JsonValue | undefined };
    checkFromClient(joining(this.name, wish));
    const mine = ++this.#asks;
    this.#tab.rooms.want(this.name, this, wish, true);
    try {
      await this.#tab.ask(joining(this.name, wish));
    } catch (error) {
      if (mine === this.#asks) this.leave();
      throw error;
    }
  }

  /** Is no member any more. */
  leave(): void {
    this.#tab.rooms.leave(this.name, this);
  }

  /**
   * Is a member for somebody in this page, until `release`, beside others: what the last of them
   * says is seen. What goes wrong is `error`.
   */
  hold(who: object, state?: S): void {
    this.#tab.rooms.want(this.name, who, { state: state as m.JsonValue | undefined });
  }

  /** Is no member for somebody any more. */
  release(who: object): void {
    this.#tab.rooms.leave(this.name, who);
  }

  /**
   * Calls `listener` with those who are there, once it is known, and whenever that changes; with
   * nobody when the server puts this client out: `error` says why. Without `join` it only watches.
   */
  subscribe(listener: (members: readonly Member<S>[]) => void): Stop {
    if (this.#tab.rooms.now(this.name).known) listener(this.members);
    const stopListening = this.#tab.on(`room ${this.name}`, () => listener(this.members));
    const stopWatching = this.#tab.rooms.want(this.name, {}, { watch: true });
    return () => {
      stopListening();
      stopWatching();
    };
  }

  /**
   * Calls `listener` with what others in the room tell, and the id of the member who does;
   * undefined if the program of the server does.
   */
  onMessage(listener: (data: m.JsonValue, member: string | undefined) => void): Stop {
    const { entity, entity_id } = placeOf(this.name);
    const stopListening = this.#tab.on("told room_message", (told: m.RoomMessage) => {
      if (told.entity === entity && told.entity_id === entity_id)
        listener(told.data ?? null, told.member);
    });
    const stopWatching = this.#tab.rooms.want(this.name, {}, { watch: true });
    return () => {
      stopListening();
      stopWatching();
    };
  }

  /**
   * Tells the others something, now or never. Only a member may.
   *
   * @param data at most 4,096 bytes.
   * @returns whether there is a connection to send it.
   */
  send(data: m.JsonValue): boolean {
    return tell(this.#tab, { type: "room_message", ...placeOf(this.name), data });
  }
}
