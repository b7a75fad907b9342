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
 * - *others*: what has caught up before, and has not again on this connection, may be behind.
 *
 * What is shown for the first time, or to nobody, waits for operations only. If the connection ends
 * first, it is as if it had never come: it comes again. When too much waits, all of it is taken.
 */
import type { JsonValue } from "../messages/types.ts";
import type { Streams } from "./streams.ts";
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

  /** Something has come, about an entity or about none: it is taken once it may be. */
  came(take: () => void, { entity, transaction }: About = {}): void {
    const write = entity && this.#queue.inDoubt(entity);
    const news = { take, entity, write, transaction };
    const isOrdered =
      !entity ||
      this.#streams.isShown(entity) ||
      this.#waiting.some((each) => each.entity === entity);
    if (transaction) this.#open.add(transaction);
    if (isOrdered ? this.#waiting.length || this.#waits(news) : write) this.#waiting.push(news);
    else take();
  }

  /** All of a transaction has come. */
  completed(transaction: string): void {
    this.#open.delete(transaction);
  }

  /**
   * The server has said all of what was asked for, or why it says nothing: nobody waits for it,
   * nor for more of what was sent of it and never completed.
   */
  heard({
    entity,
    where,
  }: {
    readonly entity: string;
    readonly where?: JsonValue | undefined;
  }): void {
    this.#streams.heard(entity, where);
    for (const each of this.#waiting) if (each.entity === entity) this.completed(each.transaction!);
  }

  /** What was waited for may be there: takes what may be taken. */
  release(): void {
    const isFull = this.#waiting.length > MOST;
    while (this.#waiting[0] && (isFull || !this.#waits(this.#waiting[0]))) {
      this.#waiting.shift()!.take();
    }
  }

  /** The connection ended. */
  lost(): void {
    this.#waiting = [];
    this.#open.clear();
  }

  #waits({ entity, write, transaction }: News): boolean | "" | undefined {
    return (
      this.#queue.isInDoubt(write) ||
      this.#open.has(transaction!) ||
      (entity && this.#streams.isBehind)
    );
  }
}
