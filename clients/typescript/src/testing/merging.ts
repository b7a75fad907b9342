/**
 * How two writes of one field become one value: `last_write_wins` of docs/guarantees.md, the
 * default of a server.
 *
 * Knows values and clocks. Must not know records or messages. It is pure.
 */
import type { JsonValue } from "../messages/types.ts";

/** When a field was written last, and by whom. */
export interface FieldClock {
  readonly version: number;
  /** Microseconds since 1970. */
  readonly time: number;
  /** The time that its author said, where that was moved. */
  readonly claimed: number;
  readonly by: string;
  readonly deleted: boolean;
}

/** One write of a field, stored or pushed. */
export interface FieldWrite {
  /** Null for a deletion, too. */
  readonly value: JsonValue;
  readonly clock: FieldClock;
}

/**
 * What becomes of a pushed write: it is the value now, and nothing stood against it; the field had
 * that value already; it is the value now, over one that its author had not seen; or the stored
 * one stays.
 */
export type Outcome = "taken" | "settled" | "won" | "lost";

/** Decides between the stored and the pushed write; also under which clock that is stored. */
export function merge(
  stored: FieldWrite | undefined,
  pushed: FieldWrite,
  base: number | undefined,
): [outcome: Outcome, clock: FieldClock] {
  const { clock } = pushed;
  if (!stored) return ["taken", clock];
  const { by, claimed } = stored.clock;
  if (isSame(stored, pushed) && by === clock.by && claimed === clock.claimed) {
    return ["settled", clock]; // it has arrived twice
  }
  const isOwn = !!by && by === clock.by;
  return isOwn ? afterOwn(stored, pushed) : afterAnother(stored, pushed, base);
}

/** What a client writes comes in its order, whatever its clock says. */
function afterOwn(stored: FieldWrite, pushed: FieldWrite): [Outcome, FieldClock] {
  const { clock } = pushed;
  const { time } = stored.clock;
  if (clock.time > time) return ["taken", clock];
  return isSame(stored, pushed) ? ["settled", clock] : ["taken", { ...clock, time }];
}

function afterAnother(
  stored: FieldWrite,
  pushed: FieldWrite,
  base: number | undefined,
): [Outcome, FieldClock] {
  const { clock } = pushed;
  const later = isLater(pushed, stored);
  const concurrent = base === undefined ? !later : stored.clock.version > base;
  if (later && !concurrent) return ["taken", clock];
  if (isSame(stored, pushed)) return [later ? "taken" : "settled", clock];
  const followed = later ? clock : follow(clock, stored.clock);
  if (!concurrent) return ["taken", followed];
  return [later ? "won" : "lost", followed];
}

/** The clock of a write that comes after the one it replaces, whatever its author's clock says. */
export function follow(clock: FieldClock, replaced: FieldClock | undefined): FieldClock {
  if (!replaced || clock.time > replaced.time) return clock;
  return { ...clock, time: replaced.time + 1 };
}

/** The clock of an operation, which comes after what it is applied to. */
export function after(stored: FieldClock, clock: FieldClock): FieldClock {
  const isOwn = !!clock.by && clock.by === stored.by;
  return isOwn ? { ...clock, time: Math.max(clock.time, stored.time) } : follow(clock, stored);
}

/** Whether two values are one value of JSON. */
export function same(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  return canonical(one) === canonical(other);
}

function isSame(one: FieldWrite, other: FieldWrite): boolean {
  return one.clock.deleted === other.clock.deleted && same(one.value, other.value);
}

function isLater(one: FieldWrite, other: FieldWrite): boolean {
  const { clock } = one;
  const rival = other.clock;
  if (clock.time !== rival.time) return clock.time > rival.time;
  if (clock.by !== rival.by) return clock.by > rival.by;
  return rank(one) > rank(other);
}

function rank({ value, clock }: FieldWrite): string {
  return clock.deleted ? "" : canonical(value);
}

/** JSON whose keys are in order, so that one value has one text. */
function canonical(value: JsonValue | undefined): string {
  return JSON.stringify(value, (_, each) => {
    if (typeof each === "bigint") return Number(each);
    if (typeof each !== "object" || !each || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
