/**
 * The writes of one client, on the connection: sends them in the order of their
 * numbers, and does what the server's answers ask for.
 *
 * Knows numbers. Must not know streams but by name, the connection's life, or
 * disks. Times are in milliseconds. Numbers are given by the store; here they
 * are only counted anew where the server's own count has gone back.
 *
 * One write:
 *
 * | event                   | `none`            | `waiting`   | `sent`       | `renewing`        | `settled`      |
 * | ----------------------- | ----------------- | ----------- | ------------ | ----------------- | -------------- |
 * | `added`                 | `waiting`, `sent` | -           | -            | -                 | -              |
 * | `numbered`              | -                 | -           | -            | `waiting`, `sent` | -              |
 * | `not numbered`          | -                 | -           | -            | `waiting`         | -              |
 * | `flush`                 | =                 | =, `sent`   | =            | =                 | =              |
 * | `begin`                 | =                 | =           | =            | =                 | =              |
 * | `lost`                  | =                 | =           | `waiting`    | =                 | =              |
 * | `acknowledged late`    | -                 | -           | `none`       | -                 | -              |
 * | `acknowledged`          | -                 | -           | `settled`    | -                 | -              |
 * | `its change`            | -                 | -           | -            | -                 | `none`         |
 * | `rejected`              | -                 | -           | `none`       | -                 | -              |
 * | `not now`               | -                 | -           | `waiting`    | -                 | -              |
 * | `no token`              | -                 | -           | `waiting`    | -                 | -              |
 * | `authenticated`         | =                 | =           | =            | =                 | =              |
 * | `number used`           | -                 | -           | `renewing`   | -                 | -              |
 * | `out of order`          | -                 | -           | `waiting`    | -                 | -              |
 *
 * `acknowledged late` is an answer whose change is there already, or is read by nobody; after
 * `acknowledged` it is still to come. `sent` is said of this connection.
 *
 * One that builds on another (`Write.buildsOn`) stays `waiting` until that is `settled` or gone.
 *
 * Numbers have no holes; what is sent are the first that wait; and no answer is confirmed to the
 * server before it is stored.
 */

import type { Refusal } from "../errors.ts";
import { plain } from "../errors.ts";
import type {
  Error as Failure,
  FieldConflict,
  FieldPushAck,
  FieldUpdate,
  JsonValue,
  Push,
  PushAck,
  TransactionAck,
  TransactionWrite,
  Welcome,
} from "../messages/types.ts";
import { refuse } from "../wire/fail.ts";
import { isAnswer, isDeleted, ofField, ofRecord } from "./conflict.ts";
import { lastSeq, reactionTo } from "./error-policy.ts";
import { isOperation } from "./operations.ts";
import { TOO_LARGE } from "./outgoing.ts";
import type { Replica } from "./replica.ts";
import { absorb, has } from "./replica.ts";
import { RetryAfter } from "./retry-after.ts";
import type { Op, RecordWrite, Settled, Write } from "./storage-ops.ts";
import {
  answered,
  apply,
  entityOf,
  firstWaiting,
  partsOf,
  rebased,
  waiting,
} from "./storage-ops.ts";
import type { Core } from "./streams.ts";

/** About so many answers are remembered. */
const REMEMBERED = 1_000;

/** The writes that wait for their answer, on one connection after the other. */
export class WriteQueue {
  /** The wait after a rejection that may pass; infinite for want of a token. */
  readonly hold: RetryAfter;
  readonly #core: Core;
  /** Those that have come since the last answer. */
  #conflicts: FieldConflict[] = [];
  /** The queue is being loaded: to see whether numbers are missing, or who has those that are. */
  #phase: "closed" | "counting" | "looking" | "open" = "closed";
  /** Nothing is sent until then: it would come back from the store as something else. */
  #blocked = false;
  /** Undefined until something was stored that had to be. */
  #confirmed: number | undefined;
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
  /** The next one waits for the answer to another, on which it builds. */
  #isHeld = false;
  /** What became of the last writes, for those that build on them; by `heirloom`. */
  readonly #became = new Map<string, Settled>();
  /** The ids of those for which the store is asked for another number. */
  readonly #renewing = new Set<string>();
  /** The ids of the last writes with operations, by entity, of those of which `isInDoubt` may hold. */
  readonly #operating = new Map<string, string>();

  /** @param random a number from 0 to 1, 1 excluded, each time it is called. */
  constructor(core: Core, random: () => number) {
    this.#core = core;
    this.hold = new RetryAfter(random);
  }

  /** Every answer up to this number is stored: the server may forget it. */
  get confirmed(): number {
    const { state } = this.#core;
    return state.frozen ? 0 : Math.min(this.#confirmed ?? state.answered, this.#answered);
  }

  /** The ids of what was sent on this connection and has no answer. */
  get sent(): string[] {
    const ids = waiting(this.#core.state, 0, this.#sent).map(({ id }) => id);
    return ids.filter((id) => !this.#renewing.has(id));
  }

  /** The last of the writes to an entity whose operations may be in what is told of it now. */
  inDoubt(entity: string): string | undefined {
    const id = this.#operating.get(entity);
    return this.isInDoubt(id) ? id : undefined;
  }

  /** Whether a write waits for its answer, and the server may have taken it. */
  isInDoubt(id = ""): boolean {
    const { seq, settled } = this.#core.state.writes.get(id) ?? {};
    const isOut = !!seq && !settled && !this.#renewing.has(id);
    return isOut && seq <= Math.max(this.#sent, this.#known);
  }

  /** The server welcomed the client. */
  begin({ last_seq }: Welcome): void {
    this.#conflicts = [];
    this.#hole = 0;
    this.#empty = !firstWaiting(this.#core.state);
    this.#count(last_seq);
  }

  /** The connection ended. */
  lost(): void {
    this.#phase = "closed";
    this.hold.until = undefined;
  }

  /** A write is in the queue, with its number. `slow`: it has to wait for its turn. */
  added({ id }: Write, slow?: boolean): void {
    this.#renewing.delete(id);
    const write = this.#core.state.writes.get(id);
    const seq = write?.seq ?? 0;
    // It was numbered before the others were numbered anew: the store knows better.
    if (seq <= this.#sent) this.#core.tell({ type: "reload" });
    const isNext = seq === this.#sent + 1 && !write?.settled && this.hold.until === undefined;
    if (!isNext || !this.#ready || this.#due || slow || write!.buildsOn) this.#due = true;
    else {
      // All that waits need not be looked at: in a burst it is long.
      this.#rebase({ ...write!, seq });
      if (!this.#blocked) this.#send(write!, seq);
    }
  }

  /** The store could not give a write another number: the server is asked again, after a while. */
  unnumbered(id: string, now: number): void {
    this.#renewing.delete(id);
    this.#rewind(Math.min(this.#sent, this.#answered));
    this.hold.refused({}, now);
  }

  /** These are stored. */
  stored(ops: readonly Op[]): void {
    const { unstored } = this.#core;
    if (!unstored || !ops.includes(unstored)) return;
    this.#core.unstored = undefined;
    this.#confirmed = this.#answered;
    this.#blocked = false;
    this.#due = true;
  }

  /** The queue was loaded anew. */
  loaded(): void {
    if (this.#phase === "counting") {
      const {
        meta: { last },
        frozen,
      } = this.#core.state;
      this.#phase = "open";
      // What turns up now was numbered by a count that is behind the server's: it was never sent.
      const isOff = this.#isOff() || (this.#empty && last < this.#known);
      if (isOff && !frozen) this.#renumber(this.#known);
      else this.#resume();
    } else if (this.#phase === "looking") this.#phase = "open";
    this.#due = true;
  }

  /** Nothing is sent until all that has to be stored is. */
  block(): void {
    this.#blocked = true;
  }

  /** The server takes this client for another one: whether these took effect it does not say. */
  abandon(why: Refusal): void {
    for (const write of waiting(this.#core.state)) this.#reject(write, why);
    this.#renumber(0);
  }

  /** A fresh token was accepted: what waited for one is sent. */
  authenticated(): void {
    if (this.hold.until === Infinity) this.hold.until = undefined;
  }

  /** Sends what waits, in order, `most` of it. */
  flush(now: number, most: number): void {
    if (!this.#ready || !this.#due || most < 1) return;
    if ((this.hold.until ?? now) > now) return;
    this.#due = this.#isHeld = false;
    this.hold.until = undefined;
    const unsent = waiting(this.#core.state, this.#sent);
    for (const write of unsent) this.#rebase(write);
    if (!this.#blocked) this.#sendAll(unsent, most);
  }

  #sendAll(unsent: readonly (Write & { readonly seq: number })[], most: number): void {
    for (const write of unsent) {
      const { id, seq } = write;
      // Where this number leads, the server knows better than the store did: none overtakes it.
      if (this.#renewing.has(id)) return;
      if (seq > this.#sent + 1 && this.#hole !== seq) {
        // Another tab's writes were not told. If they are in the store neither,
        // the server will say what it misses.
        this.#hole = seq;
        this.#phase = "looking";
        return this.#core.tell({ type: "reload" });
      }
      if (this.#waits(write)) return void (this.#isHeld = true);
      if (most-- < 1) return void (this.#due = true);
      this.#send(write, seq);
    }
  }

  /** Keeps a conflict until the answer to its write. */
  conflict(told: FieldConflict): void {
    this.#conflicts.push(told);
  }

  /**
   * A write is durable; of a transaction each part waits for its own change from now on.
   *
   * @param streams what is read.
   * @throws RhtmxError `bad_message`: the answer does not fit the write.
   */
  answered(
    ack: PushAck | FieldPushAck | TransactionAck,
    streams: { replica(entity: string): Replica | undefined },
  ): void {
    const write = this.#find(ack.seq);
    if (!write) return;
    const core = this.#core;
    const { id } = write;
    const { epoch = core.epoch } = ack;
    const parts = partsOf(write);
    const results = "results" in ack ? ack.results : [ack];
    if (results.length !== parts.length) {
      refuse(ack.type, "not a result for each write");
    }
    this.hold.passed();
    if (this.#became.size > REMEMBERED) this.#became.clear();
    const told = this.#conflicts.filter(({ seq }) => seq === write.seq);
    const conflicts = parts.flatMap((part, at) => {
      const { entity, entityId } = part;
      const { version = 0, prepared } = results[at]!;
      const settled = { version, epoch, prepared };
      const lost = parts.length > 1 ? conflictsOf(part, told) : told;
      const message = withWinners(part.message, lost);
      // The first has its place in the store; the others are behind it, in the order of their ids.
      const done = { ...part, id: at ? `${id} ${1_000 + at}` : id, message, settled };
      this.#became.set(heirloom(id, part), settled);
      const replica = streams.replica(entity);
      if (!replica) absorb(core, done, settled);
      const arrived = !replica || has(replica, core, entityId, settled);
      core.emit(["write", done.id, arrived ? undefined : done]);
      this.#seen(part, version, lost);
      return lost.map((each) => ({ ...ofField(each, part, version), epoch }));
    });
    this.#conflicts = [];
    this.#due ||= this.#isHeld;
    const answer = "results" in ack ? { ...ack, conflicts: conflicts.length } : ack;
    core.tell({ type: "outcome", id, answer });
    for (const conflict of conflicts) core.tell({ type: "conflict", conflict });
  }

  /** The write with that number is rejected. An answer to what is settled is ignored. */
  failed(error: Failure, now: number): void {
    const write = this.#find(error.seq);
    if (!write) return;
    const { seq } = write;
    const core = this.#core;
    const { state } = core;
    const becomes = reactionTo(error, seq);
    if (state.frozen) {
      // Whoever reaches the store numbers it anew, and sends it. Until this tab does it stays in
      // memory: what is missing there would be taken away from the store as answered.
      if (becomes === "renew") return apply(state, ["write", write.id, { ...write, seq: 0 }]);
      // Whoever reaches the store has got the answer, and stored it.
      if (error.code === "out_of_order" && becomes === "reject") {
        return core.emit(["write", write.id]);
      }
    }
    if (becomes === "retry") this.hold.refused(error, now);
    // It is sent again in any case: what follows a failed one fails too, each with its own error.
    if (seq > this.#sent && becomes !== "reject" && becomes !== "renew") return;
    switch (becomes) {
      case "reauthenticate":
        this.#rewind(seq - 1);
        this.hold.until = Infinity;
        core.tell({ type: "token" });
        break;
      case "reorder": {
        const last = lastSeq(error);
        if (!state.frozen && firstWaiting(state)!.seq! > last + 1) this.#count(last);
        else {
          this.#rewind(last);
          this.hold.refused(error, now);
        }
        break;
      }
      case "retry":
        this.#rewind(seq - 1);
        break;
      case "renew":
        // It keeps its number until it has another one, here as in the store: whatever numbers
        // the queue anew meanwhile has to find the same order in both.
        this.#renewing.add(write.id);
        core.tell({ type: "renew", write });
        break;
      default:
        this.#reject(write, error);
    }
  }

  /**
   * An author's own writes are no conflict, but what is parked may be sent under another id. What
   * writes nothing but what this write has written, and still stands, has seen it.
   */
  #seen(
    { entity, entityId, message }: RecordWrite,
    base_version: number,
    conflicts: FieldConflict[],
  ): void {
    const lost = conflicts.filter(({ winner }) => winner !== "client");
    const isIts = ({ field }: FieldUpdate) => {
      const isField = (each: { readonly field: string }) => each.field === field;
      return (message.type === "push" || message.fields.some(isField)) && !lost.some(isField);
    };
    const isOfIt = (part: TransactionWrite) =>
      part.entity === entity && part.entity_id === entityId && part.fields?.every(isIts);
    const raised = (part: TransactionWrite) =>
      part.base_version! < base_version && isOfIt(part) ? base_version : part.base_version;
    for (const each of this.#core.state.parked?.values() ?? []) {
      const later = rebased(each.write, raised);
      if (!later) continue;
      each.write = later;
      apply(this.#core.state, ["write", later.id, later]);
    }
  }

  get #ready(): boolean {
    return this.#phase === "open" && !this.#blocked;
  }

  get #answered(): number {
    return answered(this.#core.state);
  }

  /** Goes on behind the last number that the server knows. */
  #count(known: number): void {
    this.#known = known;
    // Numbers are missing, unless they are those of writes that another tab has not told.
    this.#phase = this.#isOff() ? "counting" : "open";
    if (this.#phase === "counting") this.#core.tell({ type: "reload" });
    else this.#resume();
  }

  /** Numbers are missing: no write has them, and the server does not know them. */
  #isOff(): boolean {
    const { state } = this.#core;
    const { seq } = firstWaiting(state) ?? {};
    return seq ? seq > this.#known + 1 : state.meta.last !== this.#known;
  }

  #resume(): void {
    this.#rewind(this.#answered);
    for (const write of waiting(this.#core.state, 0, this.#known)) this.#doubt(write);
    if (this.#core.state.meta.last < this.#known) this.#core.emit(["last", this.#known]);
  }

  #find(seq = 0): (Write & { readonly seq: number }) | undefined {
    // What is said of a number that a write is about to lose is said of what had it before.
    return waiting(this.#core.state, seq - 1, seq).find(({ id }) => !this.#renewing.has(id));
  }

  /** Whether what a write builds on is ahead of it, and has no answer. */
  #waits({ buildsOn = "", seq }: Write): boolean {
    const before = this.#core.state.writes.get(buildsOn);
    return !!before?.seq && !before.settled && before.seq < seq!;
  }

  /**
   * What builds on another write is based on what became of that. The server judges a base version
   * by its own epoch. What it has seen already stays as it was.
   */
  #rebase(write: Write & { readonly seq: number }): void {
    if (write.seq <= this.#known) return;
    const heir = this.#inherited(write);
    const { epoch = this.#core.epoch } = heir;
    // That there must be none is true of any epoch.
    const isOld = epoch !== this.#core.epoch;
    const now = (isOld && rebased(heir, ({ base_version }) => base_version && undefined)) || heir;
    if (now === write) return;
    // What would come back from the store with it would be another write under its number.
    this.#blocked = this.#due = true;
    this.#core.emit(["write", write.id, now]);
  }

  /** A write as it is based on what became of the one that it builds on, or on what that is. */
  #inherited(write: Write): Write {
    const { buildsOn = "" } = write;
    const before = this.#core.state.writes.get(buildsOn);
    const own = before && heirloom("", before) === heirloom("", write) ? before : undefined;
    const { version, epoch = this.#core.epoch } = this.#became.get(heirloom(buildsOn, write)) ??
      own?.settled ?? { version: (own?.message as Push | undefined)?.base_version, ...own };
    // One of another epoch says nothing: that it builds on it, neither.
    if (version === undefined || epoch !== this.#core.epoch) return write;
    const now = rebased(write, () => version);
    return now ? { ...now, epoch } : write;
  }

  #send(write: Write, seq: number): void {
    this.#sent = seq;
    try {
      this.#core.send({ ...write.message, request_id: write.id, seq });
      this.#doubt(write);
    } catch (error) {
      this.#reject(write, plain(error));
    }
  }

  #doubt(write: Write): void {
    for (const { entity, message } of partsOf(write)) {
      const operates =
        message.type !== "push" && message.fields.some(({ action }) => isOperation(action));
      if (operates) this.#operating.set(entity, write.id);
    }
  }

  #rewind(sent: number): void {
    this.#sent = sent;
    this.#due = true;
  }

  #renumber(last: number): void {
    this.#rewind(last);
    this.#blocked = true;
    this.#core.emit(["renumber", last]);
  }

  /** A write that connections end on is rejected, unless the server has it: then it was not that. */
  blame(id: string, settled: number): void {
    const write = this.#core.state.writes.get(id);
    if (write && !write.settled && write.seq! > settled) this.#reject(write, TOO_LARGE);
  }

  #reject(write: Write, error: Refusal): void {
    const core = this.#core;
    const { id, message, epoch = core.epoch } = write;
    const { message: text, details } = error;
    const code = error.code ?? "internal";
    core.emit(["write", id]);
    this.#due ||= this.#isHeld;
    if (code === "conflict") this.#answeredBefore(write, details);
    // That somebody else has answered a conflict first leaves nothing to be tried again.
    const isMoot = code === "conflict" && isAnswer(message);
    if (!isMoot) core.emit(["rejected", id, { id, message, code, text, details, epoch }]);
    core.tell({ type: "outcome", id, error });
    if (code === "conflict" && message.type === "push") {
      const conflict = { ...ofRecord(write as RecordWrite, details), epoch: core.epoch };
      core.tell({ type: "conflict", conflict });
    }
  }

  /** A conflict that somebody else has answered stays gone until the log tells so. */
  #answeredBefore(write: Write, details: JsonValue): void {
    const { state, epoch } = this.#core;
    partsOf(write).forEach((part, at) => {
      const { writes = [{ index: 0, details }] } = Object(details);
      const { version = 0 } = Object(
        writes.find((each: { index: number }) => each.index === at)?.details,
      );
      const held = entityOf(state, part.entity).records.get(part.entityId);
      if (!isAnswer(part.message) || !held || held.version >= version) return;
      const id = `${write.id} ${at}`;
      this.#core.emit(["write", id, { ...part, id, settled: { version, epoch } }]);
    });
  }
}

/** What became of a record by one write, as a key. */
function heirloom(id: string, { entity, entityId }: Write): string {
  return `${id} ${entity} ${entityId}`;
}

/** The conflicts of one write of a transaction, of those that were told. */
function conflictsOf({ entity, entityId, message }: RecordWrite, told: FieldConflict[]) {
  return told.filter(
    (each) =>
      each.entity === entity &&
      each.entity_id === entityId &&
      message.type !== "push" &&
      message.fields.some(({ field }) => field === each.field),
  );
}

/** What a write did in the end: a field that lost has the value that won. */
function withWinners(message: RecordWrite["message"], conflicts: FieldConflict[]) {
  if (message.type === "push") return message;
  const fields = message.fields.map((update): FieldUpdate => {
    const lost = conflicts.find(
      (each) => each.field === update.field && each.winner === "server" && each.key === undefined,
    );
    if (!lost) return update;
    return { ...update, value: lost.server_value, action: isDeleted(lost) ? "delete" : "update" };
  });
  return { ...message, fields };
}
