/**
 * The writes of one client, on the connection: sends them in the order of their
 * numbers, and does what the server's answers ask for.
 *
 * Knows numbers. Must not know streams but by name, the connection's life, or
 * disks. Times are in milliseconds. Numbers are given by the store; here they
 * are only counted anew where the server's own count has gone back.
 */
import { Backoff } from "./backoff.ts";
import { ofField, ofRecord } from "./conflict.ts";
import { plain } from "./errors.ts";
import { has } from "./replica.ts";
import { lastSeq, verdict } from "./verdict.ts";
import { apply, waiting } from "./store.ts";
import type { Refusal } from "./errors.ts";
import type { Event } from "./events.ts";
import type { ClientMessage, Error as Failure, FieldConflict, Welcome } from "./messages/types.ts";
import type { ErrorCode, FieldPushAck, FieldUpdate, PushAck } from "./messages/types.ts";
import type { Keeper, Replica } from "./replica.ts";
import type { Write } from "./store.ts";

/** What the queue speaks with. */
export interface QueueOptions {
  /** Puts a message on its way; throws `too_large`. */
  send(message: ClientMessage): void;
  tell(event: Event): void;
  /** The replica of an entity that is read. */
  replica(entity: string): Replica | undefined;
  readonly random: () => number;
}

/** See the head of the file. */
export class Queue {
  readonly #keeper: Keeper;
  readonly #options: QueueOptions;
  readonly #backoff: Backoff;
  readonly #conflicts = new Map<number, FieldConflict[]>();
  #open = false;
  /** What was numbered anew is in the store: nothing is sent under other numbers. */
  #stored = true;
  /** The queue is being loaded, to see whether numbers are missing. */
  #recount = false;
  /** There were no writes when the connection began. */
  #empty = false;
  /** The highest number sent on this connection. */
  #sent = 0;
  /** The last number that the server knew when this connection began. */
  #known = 0;
  /** The number before which a hole was seen. */
  #hole = 0;
  /** There may be something to send. */
  #due = false;
  #retryAt: number | undefined;

  constructor(keeper: Keeper, options: QueueOptions) {
    this.#keeper = keeper;
    this.#options = options;
    this.#backoff = new Backoff(options.random);
  }

  /** Every answer up to this number has arrived. */
  get confirmed(): number {
    const { state } = this.#keeper;
    return (waiting(state)[0]?.seq ?? state.meta.last + 1) - 1;
  }

  /** When to call `flush` again; undefined if there is nothing to try again. */
  get retryAt(): number | undefined {
    return this.#open ? this.#retryAt : undefined;
  }

  /** The server welcomed the client. */
  begin({ last_seq }: Welcome): void {
    this.#conflicts.clear();
    this.#retryAt = undefined;
    this.#known = last_seq;
    this.#hole = 0;
    this.#open = true;
    // Numbers are missing, unless they are those of writes that another tab has not told.
    this.#stored = !this.#isOff();
    this.#recount = !this.#stored;
    this.#empty = !waiting(this.#keeper.state).length;
    if (this.#recount) this.#options.tell({ type: "reload" });
    else this.#resume();
  }

  /** The connection ended. */
  lost(): void {
    this.#open = false;
  }

  /** The write with this number is in the queue. */
  added(seq: number): void {
    this.#due = true;
    // It was numbered before the others were numbered anew: the store knows better.
    if (seq <= this.#sent) this.#options.tell({ type: "reload" });
  }

  /** What was numbered anew is stored, or the queue was loaded. */
  stored(): void {
    const { last } = this.#keeper.state.meta;
    // What turns up now was numbered by a count that is behind the server's: it was never sent.
    const loaded = this.#recount;
    const recount = loaded && (this.#isOff() || (this.#empty && last < this.#known));
    this.#recount = false;
    this.#stored = true;
    if (recount) this.#renumber(this.#known);
    else if (loaded) this.#resume();
    this.#due = true;
  }

  /** A fresh token was accepted: what waited for one is sent. */
  authenticated(): void {
    if (this.#retryAt === Infinity) this.#retryAt = undefined;
  }

  /** Sends what waits, in order. */
  flush(now: number): void {
    if (!this.#open || !this.#stored || !this.#due || (this.#retryAt ?? now) > now) return;
    this.#due = false;
    this.#retryAt = undefined;
    for (const write of waiting(this.#keeper.state)) {
      const { seq } = write;
      if (seq <= this.#sent) continue;
      if (seq > this.#sent + 1 && this.#hole !== seq) {
        // Another tab's writes were not told. If they are in the store neither,
        // the server will say what it misses.
        this.#hole = seq;
        return this.#options.tell({ type: "reload" });
      }
      this.#send(write, seq);
    }
  }

  /** Keeps a conflict until the answer to its write. */
  conflict(told: FieldConflict): void {
    const { seq = 0 } = told;
    this.#conflicts.set(seq, [...(this.#conflicts.get(seq) ?? []), told]);
  }

  /** A write is durable. */
  acknowledged(ack: PushAck | FieldPushAck): void {
    const write = this.#find(ack.seq);
    if (!write) return;
    const { id, entity, entityId, message } = write;
    const { emit, epoch } = this.#keeper;
    const { tell } = this.#options;
    const settled = { version: ack.version ?? 0, epoch: ack.epoch ?? epoch };
    const conflicts = this.#conflicts.get(write.seq) ?? [];
    this.#conflicts.delete(write.seq);
    this.#backoff.reset();
    const replica = this.#options.replica(entity);
    if (!replica || has(replica, this.#keeper, entityId, settled)) emit(["write", id]);
    else emit(["write", id, { ...write, message: withWinners(message, conflicts), settled }]);
    tell({ type: "outcome", id, answer: ack });
    for (const each of conflicts) {
      tell({ type: "conflict", conflict: ofField(each, write, settled.version) });
    }
  }

  /** The write with that number is refused. An answer to what is settled is ignored. */
  failed(error: Failure, now: number): void {
    const write = this.#find(error.seq);
    if (!write) return;
    const { seq } = write;
    const { tell } = this.#options;
    switch (verdict(error, seq)) {
      case "reauthenticate":
        this.#rewind(seq - 1);
        this.#retryAt = Infinity;
        tell({ type: "token" });
        break;
      case "reorder": {
        const last = lastSeq(error);
        if (waiting(this.#keeper.state)[0]!.seq > last + 1) this.#renumber(last);
        else this.#retry(last + 1, now);
        break;
      }
      case "retry":
        this.#retry(seq, now);
        break;
      case "renew":
        // In memory only: in the store it keeps the old number until it has the new one.
        apply(this.#keeper.state, ["write", write.id, { ...write, seq: undefined }]);
        tell({ type: "renew", write });
        break;
      default:
        this.#reject(write, error);
    }
  }

  /** Numbers are missing: no write has them, and the server does not know them. */
  #isOff(): boolean {
    const { state } = this.#keeper;
    const [first] = waiting(state);
    return first ? first.seq > this.#known + 1 : state.meta.last !== this.#known;
  }

  #resume(): void {
    const { state, emit } = this.#keeper;
    this.#rewind(this.confirmed);
    if (state.meta.last < this.#known) emit(["last", this.#known]);
  }

  #find(seq: number | undefined): (Write & { readonly seq: number }) | undefined {
    // Answers come in order: it is among the first.
    for (const each of this.#keeper.state.writes.values()) {
      if (seq && each.seq === seq && !each.settled) return { ...each, seq };
    }
    return undefined;
  }

  #send(write: Write, seq: number): void {
    let { message } = write;
    const { epoch } = this.#keeper;
    // The server judges a base version by its own epoch; what it has seen already stays as it was.
    if (message.base_version && write.epoch && write.epoch !== epoch && seq > this.#known) {
      message = { ...message, base_version: undefined };
      this.#keeper.emit(["write", write.id, { ...write, message }]);
    }
    this.#sent = seq;
    try {
      this.#options.send({ ...message, request_id: write.id, seq });
    } catch (error) {
      this.#reject(write, plain(error));
    }
  }

  /** Those sent after a failed one fail too, each with its own error: one wait is enough. */
  #retry(seq: number, now: number): void {
    if (seq > this.#sent) return;
    this.#rewind(seq - 1);
    this.#retryAt ??= now + this.#backoff.wait(now);
  }

  #rewind(sent: number): void {
    this.#sent = sent;
    this.#due = true;
  }

  #renumber(last: number): void {
    this.#rewind(last);
    this.#stored = false;
    this.#keeper.emit(["renumber", last]);
  }

  #reject(write: Write, error: Refusal): void {
    const { id, message } = write;
    const { message: text, details } = error;
    const code = (error.code as ErrorCode | undefined) ?? "internal";
    const { emit } = this.#keeper;
    const { tell } = this.#options;
    emit(["write", id]);
    emit(["refused", id, { id, message, code, text, details }]);
    tell({ type: "outcome", id, error });
    if (code === "conflict" && message.type === "push") {
      tell({ type: "conflict", conflict: ofRecord(write, details) });
    }
  }
}

/** What a write did in the end: a field that lost has the value that won. */
function withWinners(message: Write["message"], conflicts: FieldConflict[]): Write["message"] {
  if (message.type === "push") return message;
  const fields = message.fields.map((update): FieldUpdate => {
    const lost = conflicts.find((each) => each.field === update.field && each.winner === "server");
    if (!lost) return update;
    const value = lost.server_value;
    return { ...update, value, action: value === null ? "delete" : "update" };
  });
  return { ...message, fields };
}
