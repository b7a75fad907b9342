/**
 * A client whose changes the test makes.
 */

import type { Member } from "../../src/api/room.ts";
import type { ChangesOptions } from "../../src/core/options.ts";
import type { PageClient, PageRoom } from "../../src/htmx/index.ts";
import type { ChangeLog } from "../../src/messages/types.ts";
import { FakeClient } from "../forms/support.ts";

type Listener = (change: ChangeLog | null) => void;

/** A change of a record of `tasks`. */
export function change(id: string, version: number): ChangeLog {
  const created_at = "2026-11-22T10:00:00Z";
  return { entity: "tasks", entity_id: id, action: "update", data: {}, version, created_at };
}

export class PageFakeClient extends FakeClient implements PageClient {
  /** How often something was watched anew. */
  watches = 0;
  readonly #listeners = new Map<string, Set<Listener>>();

  changes(name: string, listener: Listener, options?: ChangesOptions): () => void {
    this.watches++;
    const entity = options ? `${name} ${JSON.stringify(options.where)}` : name;
    const all = this.#listeners.get(entity) ?? new Set();
    this.#listeners.set(entity, all.add(listener));
    return () => {
      all.delete(listener);
      if (all.size === 0) this.#listeners.delete(entity);
    };
  }

  /** What was written. */
  readonly pushed: unknown[] = [];
  /** Why nothing can be written. */
  refusal: Error | undefined;

  async pushFields(...said: unknown[]): Promise<void> {
    if (this.refusal) throw this.refusal;
    this.pushed.push(said);
  }

  /** The rooms that the page is in, by name. */
  readonly rooms = new Map<string, FakeRoom>();

  room(name: string): FakeRoom {
    if (!name.includes("/")) throw new Error("no name of a record");
    const room = this.rooms.get(name) ?? new FakeRoom();
    this.rooms.set(name, room);
    return room;
  }

  /** The entities that someone watches, and the parts of them. */
  watched(): string[] {
    return [...this.#listeners.keys()].sort();
  }

  change(entity: string, log: ChangeLog | null): void {
    for (const listener of this.#listeners.get(entity) ?? []) listener(log);
  }
}

/** A room whose members the test makes. */
export class FakeRoom implements PageRoom {
  members: readonly Member[] = [];
  me: Member | undefined;
  error: undefined;
  /** What is said of the page, by whom. */
  readonly held = new Map<object, unknown>();
  /** Nothing was said of the page, after something was. */
  wasLeft = false;
  readonly listeners = new Set<(members: readonly Member[]) => void>();

  subscribe(listener: (members: readonly Member[]) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  hold(who: object, state?: unknown): void {
    this.held.set(who, state);
  }

  release(who: object): void {
    this.wasLeft ||= this.held.delete(who) && !this.held.size;
  }

  /** These are there now. */
  tell(...members: Member[]): void {
    this.members = members;
    for (const listener of this.listeners) listener(members);
  }
}
