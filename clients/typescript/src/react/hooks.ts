/**
 * Hooks that show what a client holds.
 *
 * Knows React, and what components want to know of a client. Must not know how
 * anything is kept or sent: a collection has stable snapshots, and that is all
 * that they need.
 */
import { useCallback, useEffect, useMemo, useState } from "react";
import type { Client } from "../api/client.ts";
import type { Collection } from "../api/collection.ts";
import type { Member } from "../api/room.ts";
import type { OpenConflict } from "../core/options.ts";
import type { Row } from "../core/overlay.ts";
import { filtering, keptRows, NOTHING } from "../core/row-list.ts";
import type { State } from "../core/tab-messages.ts";
import type { RhtmxError, Violation } from "../errors.ts";
import type { Listen } from "./use-live.ts";
import { useLive } from "./use-live.ts";

/**
 * The rows of a collection, by id; none before it is loaded, and none on a server. The
 * same array as long as nothing changed.
 *
 * @param where only these rows, and no rendering when others change. Keep it the same
 * between renders (`useCallback`, or a function outside the component), or it is asked
 * for each row each time.
 *
 * @example
 * const tasks = useCollection(client.collection<Task>("tasks"), isOpen);
 */
export function useCollection<T>(
  collection: Collection<T>,
  where?: (row: Row<T>) => boolean,
): readonly Row<T>[] {
  const [last] = useState(keptRows<Row<T>>);
  const filter = useMemo(() => filtering(where, last), [where, last]);
  return useLive(useListen(collection), () => filter(collection.snapshot), NOTHING);
}

/**
 * One row, or undefined. The same object as long as nothing about it changed.
 *
 * @example
 * const task = useRecord(tasks, id);
 * return task && <li>{task.data.title}</li>;
 */
export function useRecord<T>(collection: Collection<T>, id: string): Row<T> | undefined {
  return useLive(useListen(collection), () => collection.row(id), undefined);
}

/**
 * The conflicts of a collection that nobody has answered, the oldest first; those of one record
 * with `id`. The same array as long as nothing changed.
 *
 * @example
 * const conflicts = useConflicts(tasks, id);
 * return conflicts.map((each) => (
 *   <button key={each.number} onClick={() => each.keepMine()}>Keep {String(each.mine)}</button>
 * ));
 */
export function useConflicts<T>(collection: Collection<T>, id?: string): readonly OpenConflict[] {
  const listen = useCallback<Listen>(
    (changed) => collection.conflicts.subscribe((_, own) => changed(own)),
    [collection],
  );
  const read = () =>
    id === undefined ? collection.conflicts.snapshot : collection.conflicts.of(id);
  return useLive(listen, read, NOTHING);
}

/** One field of a record, and what can be done with it. */
export interface Field<V> {
  /** Its value as it is shown; undefined if it is not there. */
  readonly value: V | undefined;
  /** Something that was written to the record here has no answer yet. */
  readonly pending: boolean;
  /** Somebody else wrote it at the same time, until that is answered or the field written again. */
  readonly conflict: OpenConflict | undefined;
  /** Why the last write of this component was rejected, until the next one. */
  readonly error: RhtmxError | undefined;
  /**
   * What a check of the server has found wrong with it, when a write of the record by any
   * `useField` was rejected: until the next one here, or one that was not. Its `message` is to
   * stand at the field.
   */
  readonly violation: Violation | undefined;
  /** Writes it: shown at once, resolves when the server has it or has rejected it. */
  readonly set: (value: V) => Promise<void>;
}

/** What is said of a field beside its value. `place`: which field, and how often it was written here. */
interface Said {
  readonly place: { writes: number };
  readonly conflict?: OpenConflict | undefined;
  readonly error?: RhtmxError | undefined;
  readonly violation?: Violation | undefined;
}

/** What was found wrong with a record, by its id. */
type Judge = (id: string, violations: readonly Violation[]) => void;

/** Those who show a field of a collection: a write of one may be wrong at another one. */
const judges = new WeakMap<object, Set<Judge>>();

/**
 * One field of a record, to be edited by itself.
 *
 * @example
 * const title = useField(tasks, id, "title");
 * return <input value={title.value ?? ""} onChange={(event) => title.set(event.target.value)} />;
 */
export function useField<T, K extends keyof T & string>(
  collection: Collection<T>,
  id: string,
  field: K,
): Field<T[K]> {
  const row = useRecord(collection, id);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new object for each of the three
  const place = useMemo(() => ({ writes: 0 }), [collection, id, field]);
  const [last, setSaid] = useState<Said>({ place });
  const said: Said = last.place === place ? last : { place };
  // Another record: what was said of the one before is not of this one, not even for a moment,
  // https://react.dev/reference/react/useState#storing-information-from-previous-renders
  if (said !== last) setSaid(said);
  const say = useCallback(
    // What becomes of a write to the one before comes late.
    (what: Partial<Said>) => setSaid((now) => (now.place === place ? { ...what, place } : now)),
    [place],
  );

  useEffect(() => {
    return collection.onConflict((each) => {
      if (each.id !== id || each.field !== field) return;
      // Answered is settled, whatever comes of it: that is told by the next one.
      const settle =
        <A extends unknown[], R>(answer: (...args: A) => R) =>
        (...args: A) => {
          say({});
          return answer(...args);
        };
      const conflict = {
        ...each,
        keepMine: settle(each.keepMine),
        takeTheirs: settle(each.takeTheirs),
        merge: settle(each.merge),
      };
      say({ conflict });
    });
  }, [collection, id, field, say]);

  useEffect(() => {
    const all = judges.get(collection) ?? new Set();
    judges.set(collection, all);
    const judge: Judge = (each, violations) => {
      if (each !== id) return;
      const violation = violations.find((one) => one.field === field);
      setSaid((now) =>
        now.place === place && now.violation !== violation ? { ...now, violation } : now,
      );
    };
    all.add(judge);
    return () => void all.delete(judge);
  }, [collection, id, field, place]);

  const set = useCallback(
    async (value: T[K]) => {
      const write = ++place.writes;
      const tell = (violations: readonly Violation[]) => {
        for (const judge of judges.get(collection) ?? []) judge(id, violations);
      };
      say({});
      try {
        await collection.patch(id, { [field]: value } as unknown as Partial<T>);
        if (write === place.writes) tell([]);
      } catch (failure) {
        const error = failure as RhtmxError;
        if (write !== place.writes) return;
        say({ error });
        if (error.violations.length) tell(error.violations);
      }
    },
    [collection, id, field, place, say],
  );

  // A field may be called as what all objects have.
  const value = Object.hasOwn(row?.data ?? {}, field) ? row?.data[field] : undefined;
  const pending = row?.pending ?? false;
  const { conflict, error, violation } = said;
  return { value, pending, conflict, error, violation, set };
}

/**
 * Whether there is a connection, and whether there will be one.
 *
 * @example
 * const offline = useConnection(client) !== "open";
 */
export function useConnection(client: Client): State {
  const listen = useCallback<Listen>((changed) => client.onState(() => changed()), [client]);
  return useLive(listen, () => client.state, "connecting");
}

/**
 * Who is at a record now. With a state this client is there, too, as long as the component is; with
 * `undefined` it only watches. The same array as long as nothing changed.
 *
 * @param room the record: `orders/7`.
 * @param state what the others see: a JSON value, which need not be the same object each time.
 *
 * @example
 * const members = usePresence(client, `orders/${id}`, { name: "Ada" });
 * return members.map(({ id, state }) => <b key={id}>{state?.name}</b>);
 */
export function usePresence<S>(client: Client, room: string, state?: S): readonly Member<S>[] {
  const said = state === undefined ? undefined : JSON.stringify(state);
  const listen = useCallback<Listen>(
    (changed) => client.room(room).subscribe(() => changed()),
    [client, room],
  );
  const [who] = useState(() => ({}));
  useEffect(() => {
    if (said === undefined) client.room(room).release(who);
    else client.room(room).hold(who, JSON.parse(said));
  }, [client, room, said, who]);
  // Not with each state: who says something else has not left.
  useEffect(() => () => client.room(room).release(who), [client, room, who]);
  return useLive(listen, () => client.room<S>(room).members, NOTHING);
}

function useListen<T>(collection: Collection<T>): Listen {
  return useCallback((changed) => collection.subscribe((_, own) => changed(own)), [collection]);
}
