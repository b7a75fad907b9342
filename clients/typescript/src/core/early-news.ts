/**
 * What the server tells, and what has to wait until it may be shown.
 *
 * Knows the order of what is told. Must not know what that is.
 *
 * It waits for one of these, and what comes after it waits, too:
 *
 * - *operations*. A value may be shown on top of a record that has it already; an operation may
 *   not: it would count twice. Whether one that was sent is in what arrives only its answer says,
 *   and what arrives may be faster: in a page of the past, or after a connection that was lost. So
 *   it waits for the answers of the operations that were sent before;
 * - *a transaction* of which more is to come: half of it is no state that ever was;
 * - *others*: what has caught up before, and has not again on this connection, may be behind. What
 *   comes until all have is taken as one.
 *
 * What is shown for the first time, or to nobody, waits for operations only; but its end, from
 * which on all of it is one state with the others, for what came before. If the connection ends
 * first, it is as if it had never come: it comes again. When too much waits, all of it is taken.
 */
import type { Heard, Streams } from "./streams.ts";
import type { WriteQueue } from "./write-queue.ts";

/** So much may wait: what a server tells may be without end. */
const MOST = 10_000;

/** What something is about, as the server says it. */
interface About {
  readonly entity?: string | undefined;
  readonly transaction?: string | undefined;
}

interface News extends About {
  readonly take: () => void;
  /** The id of the last write that it waits for. */
  readonly write: string | undefined;
  /** Some were behind when it came. */
  readonly isBehind: boolean;
}

/** Takes what the server tells in the order in which it comes, some of it later. */
export class EarlyNews {
  readonly #queue: WriteQueue;
  readonly #streams: Streams;
  #waiting: News[] = [];
  /** Transactions of which more is to come. */
  readonly #open = new Set<string>();

  constructor(queue: WriteQueue, streams: Streams) {
    this.#queue = queue;
    this.#streams = streams;
  }

  /**
   * Something has come, about an entity or about none: `release` takes it once it may be. `isEnd`:
   * with it an entity has caught up.
   */
  came(take: () => void, { entity, transaction }: About = {}, isEnd = false): void {
    const write = entity && this.#queue.inDoubt(entity);
    const { isBehind } = this.#streams;
    const mayWait = write || transaction || isBehind || this.#waiting.length || this.#open.size;
    if (!mayWait) return take(); // which is nearly always so
    if (transaction) this.#open.add(transaction);
    const isFree =
      entity &&
      !isEnd &&
      !write &&
      !this.#streams.isShown(entity) &&
      !this.#waiting.some((each) => each.entity === entity);
    if (isFree) take();
    else this.#waiting.push({ take, entity, write, transaction, isBehind });
  }

  /** All of a transaction has come. */
  completed(transaction: string): void {
    this.#open.delete(transaction);
  }

  /**
   * The server has said all of what was asked for, or why it says nothing: nobody waits for it,
   * nor for more of what was sent of it and never completed.
   */
  heard(about: Heard): void {
    this.#streams.heard(about);
    for (const { entity, transaction } of this.#waiting)
      if (entity === about.entity) this.completed(transaction!);
  }

  /** Takes what may be taken by now. */
  release(): void {
    const all = this.#waiting;
    if (!all.length) return;
    let count = all.findIndex((each) => all.length <= MOST && this.#waits(each));
    if (count < 0) count = all.length;
    // A transaction is taken as one, whatever lies between its changes and waits.
    const later = new Set<string | boolean | undefined>();
    const stays = (from: number, to?: number) => {
      for (const each of all.slice(from, to)) later.add(each.transaction).add(each.isBehind);
    };
    stays(count);
    for (let at = count; at--; ) {
      const { transaction } = all[at]!;
      if (transaction && later.has(transaction)) {
        stays(at, count);
        count = at;
      }
    }
    if (later.has(true)) return;
    for (const { take } of all.splice(0, count)) take();
  }

  /** The connection ended. */
  lost(): void {
    this.#waiting = [];
    this.#open.clear();
  }

  #waits({ entity, write, transaction }: News): boolean | "" | undefined {
    return (
      (entity && this.#streams.isBehind) ||
      this.#open.has(transaction!) ||
      this.#queue.isInDoubt(write)
    );
  }
}
