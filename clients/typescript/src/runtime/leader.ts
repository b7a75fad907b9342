/**
 * The part of a client that leads: runs a session over real sockets and timers,
 * and writes what the server tells into the store.
 *
 * Knows sockets, the clock, the timer and the store. Must not know what is
 * said: it passes on frames, operations and events, in order.
 *
 * | event           | `loading`           | `leads`       | `in doubt` | `ended` |
 * | --------------- | ------------------- | ------------- | ---------- | ------- |
 * | `loaded`        | `leads`, `in doubt` | -             | -          | -       |
 * | `another leads` | `ended`             | -             | -          | -       |
 * | `input`         | =                   | =, `in doubt` | =          | =       |
 * | `late input`    | =                   | `in doubt`    | =          | =       |
 * | `still leads`   | -                   | -             | `leads`    | -       |
 * | `does not lead` | -                   | -             | `ended`    | -       |
 * | `stop`          | `ended`             | `ended`       | `ended`    | =       |
 *
 * In `loading` memory may lack what others stored. An input is late if this tab has paused for long
 * before it: it waits, with all that follow, until the store has said who leads. A leader that has
 * ended does not come back: when it is the tab's turn again, the tab makes another one.
 *
 * One input is taken at a time, and what comes of it carried out before the next one.
 */

import type { Event, Input, Output } from "../core/events.ts";
import type { SessionOptions } from "../core/session.ts";
import { Session } from "../core/session.ts";
import type { Op, State, Store, Write } from "../core/storage-ops.ts";
import type { TabChannel } from "../core/tab-messages.ts";
import type { RhtmxError } from "../errors.ts";
import { checkToken } from "../wire/sizes.ts";
import { Alarm } from "./alarm.ts";
import type { DialOptions } from "./dialer.ts";
import { Dialer } from "./dialer.ts";
import type { Tab } from "./tab.ts";

/** Where and with what to connect. */
export interface LeaderOptions extends SessionOptions, DialOptions {
  readonly store: Store;
  readonly channel: TabChannel;
  /** The memory of its tab. */
  readonly state: State;
  /** The id under which it leads. */
  readonly leader: string;
}

/** Has a tab lead whenever it is its turn. Call what is returned before the tab is done. */
export function takeTurns(tab: Tab, options: LeaderOptions): () => void {
  const { channel } = options;
  let leader: Leader | undefined;
  let turns = 0;
  const stop = () => leader?.stop();
  void tab.ready.then(() => {
    if (tab.connection === "closed") return;
    channel.post({ type: "hello" });
    channel.lead((waited) => {
      // What one of its turns has yet to store must not come after what the next one stores.
      leader = new Leader({ ...options, leader: `${options.leader} ${++turns}` }, tab);
      leader.start(waited);
    }, stop);
  });
  return stop;
}

/** Milliseconds after which what could not be stored is tried again. */
const STORE_AGAIN = 5_000;

/**
 * Operations that wait to be stored: of those on the same thing, the last one.
 *
 * While a long load comes there are two for each message. So a record is found by its entity and
 * its id as they are: to put one key together of both costs more than all else here.
 */
export class LatestOps {
  /** By their entities and ids. What the server can tell again depends on nothing before it. */
  readonly #records = new Map<string, Map<string, Op>>();
  readonly #places = new Map<string, Op>();
  /** What has to last: a later one stands later. */
  readonly #lasting = new Map<string, Op>();

  /** Puts an operation in the place of the one before. */
  add(op: Op): void {
    if (op[0] === "record") {
      const records = this.#records.get(op[1]) ?? new Map<string, Op>();
      this.#records.set(op[1], records.set(op[2], op));
    }
    // One key that is taken away and set again with each change leaves no end of gaps to search.
    else if (op[0] === "place") this.#places.set(op[1], op);
    else {
      const key = `${op[0]}\0${op[1]}`;
      this.#lasting.delete(key);
      this.#lasting.set(key, op);
    }
  }

  /** All of them: what has to last is in its order. */
  list(): Op[] {
    const records = [...this.#records.values()].flatMap((each) => [...each.values()]);
    return [...records, ...this.#places.values(), ...this.#lasting.values()];
  }
}

/** What a client has in the one tab that has the connection. */
export class Leader {
  readonly #tab: Tab;
  readonly #session: Session;
  readonly #options: LeaderOptions;
  readonly #dialer: Dialer;
  readonly #alarm = new Alarm(() => this.#run({ type: "tick" }));
  #storeTimer: ReturnType<typeof setTimeout> | undefined;
  /** What has to be stored. */
  #ops = new LatestOps();
  /** That it leads, until that is stored: where there is no room for it, with what is stored next. */
  #naming: readonly Op[] = [];
  /** What is being stored. */
  #storing: readonly Op[] = [];
  #failing = false;
  /** What the session has not taken yet, and when it happened. */
  readonly #inputs: [input: Input, now: number][] = [];
  #running = false;
  #ended = false;

  constructor(options: LeaderOptions, tab: Tab) {
    this.#options = options;
    this.#tab = tab;
    this.#session = new Session(options, options.state);
    this.#dialer = new Dialer(options, {
      state: () => this.#session.state,
      present: (token) => {
        checkToken(token);
        this.#session.token = token;
      },
      isNew: () => !options.state.meta.epoch,
      run: (input) => this.#run(input),
      report: (error) => this.#report(error),
    });
  }

  /**
   * Begins to lead.
   *
   * @param waited memory may lack what others stored: it is loaded first.
   */
  start(waited?: boolean): void {
    const { state, leader } = this.#options;
    this.#naming = [["leader", leader]];
    const stored = this.#store();
    state.meta.leader = leader;
    // What comes until it has begun is said again, but that something may be in the store.
    this.#tab.lead((message) => {
      if (message.type === "hole") this.#inputs.push([message, performance.now()]);
    });
    if (!waited) return this.#begin();
    void stored
      .then(() => this.#tab.load())
      .then(() => {
        if (this.#naming.length) state.meta.leader = leader;
        // Two that found the same leader silent took its place one after the other.
        if (state.meta.leader === leader) this.#begin(true);
        else this.#fenced();
      });
  }

  #begin(waited?: boolean): void {
    if (this.#ended) return;
    this.#tab.lead((message) => this.#run(message));
    this.#again(waited);
    this.#run({ type: "tick" });
  }

  #again(missed?: boolean): void {
    const { channel, leader } = this.#options;
    channel.post({ type: "lead", leader, client: this.#tab.clientId });
    this.#tab.again(missed);
  }

  /** Leads no longer: what is left is stored, if it may be, and the connection ended. */
  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tab.lead();
    void this.#store();
    this.#alarm.set();
    this.#dialer.disconnect(this.#session.rooms.farewell);
  }

  /**
   * Has the session take an input, and carries out what comes of it. What comes meanwhile, as
   * from a socket that answers at once, is an input for later: it finds nothing half done.
   */
  #run(input: Input): void {
    if (this.#ended) return;
    this.#inputs.push([input, performance.now()]);
    if (this.#running) return;
    if (this.#options.channel.paused?.()) this.#doubt();
    else this.#drain();
  }

  #drain(): void {
    let deadline: number | undefined;
    this.#running = true;
    this.#tab.begin();
    try {
      for (let next = this.#inputs.shift(); next && !this.#ended; next = this.#inputs.shift()) {
        const output = this.#session.step(...next);
        this.#carryOut(output);
        deadline = output.deadline;
      }
    } finally {
      this.#running = false;
      this.#tab.end();
    }
    if (!this.#ended) this.#alarm.set(deadline);
  }

  /** Another may lead by now: nothing is done until the store says that none does. */
  #doubt(): void {
    this.#running = true;
    const go = (leads: boolean) => {
      if (this.#ended) return;
      if (leads) this.#drain();
      else this.#fenced();
    };
    const { store, leader } = this.#options;
    store.apply([], leader).then(
      (leads) => go(leads || this.#naming.length > 0),
      () => go(true),
    );
  }

  #fenced(): void {
    if (this.#ended) return;
    this.stop();
    this.#options.channel.yield?.();
  }

  #carryOut({ frames, events, ops }: Output): void {
    for (const op of ops) this.#keep(op);
    if (ops.length) this.#tab.noted(ops);
    for (const frame of frames) this.#dialer.send(frame);
    for (const event of events) this.#handle(event);
  }

  #handle(event: Event): void {
    switch (event.type) {
      case "connect":
        return void this.#dialer.connect();
      case "disconnect":
        return this.#dialer.disconnect(event.code);
      case "explain":
        return void this.#dialer.explain(event.times);
      case "token":
        return void this.#authenticate();
      case "renew":
        return void this.#renew(event.write);
      case "again":
        return this.#again();
      case "reload":
        return void this.#reload();
      default:
        this.#tab.tell(event);
    }
  }

  async #authenticate(): Promise<void> {
    const { token } = this.#options;
    if (typeof token !== "function") return;
    try {
      await this.#tab.ask({ type: "authenticate", token: await token() });
    } catch (error) {
      this.#report(error);
    }
  }

  /**
   * Has the store give a write a fresh number. The tab is told by `ops`, not by `added`: it
   * may know the write from the store only, and would take `added` for a late word.
   */
  async #renew(write: Write): Promise<void> {
    const { store, state, leader } = this.#options;
    const { id } = write;
    try {
      const seq = await store.add(write);
      const known = state.writes.get(id);
      if (!seq || !known) return this.#run({ type: "hole" });
      const renewed = { ...known, seq };
      this.#tab.tell({ type: "ops", ops: [["write", id, renewed]], leader });
      this.#run({ type: "added", write: renewed });
    } catch (error) {
      this.#report(error);
      this.#run({ type: "unnumbered", id });
    }
  }

  async #reload(): Promise<void> {
    try {
      await this.#tab.reload(() => {
        const unstored = [...this.#storing, ...this.#ops.list()];
        void this.#store();
        return unstored;
      });
    } catch (error) {
      this.#report(error);
    }
    this.#run({ type: "loaded" });
  }

  #keep(op: Op): void {
    this.#ops.add(op);
    // Writes that come after these are numbered after, or not sent before.
    if (op[0] === "renumber" || op[0] === "secret") void this.#store();
    else this.#storeTimer ??= setTimeout(() => this.#store(), this.#failing ? STORE_AGAIN : 0);
  }

  /** Stores what there is to store, in one transaction, unless some is being stored: then after that. */
  async #store(): Promise<void> {
    clearTimeout(this.#storeTimer);
    this.#storeTimer = undefined;
    // One after the other: what failed is tried again, and would overwrite what came after it.
    if (this.#storing.length) return;
    const [batch, naming] = [this.#ops, this.#naming];
    // Whoever came after it has said so by now.
    if (naming.length && this.#ended) return;
    const ops = batch.list();
    this.#storing = [...naming, ...ops];
    if (!this.#storing.length) return;
    this.#ops = new LatestOps();
    const { store, leader } = this.#options;
    const applied = await store
      .apply(this.#storing, naming.length ? undefined : leader)
      .catch((error) => this.#unstored(batch, error));
    if (applied === undefined) return;
    this.#failing = false;
    this.#naming = this.#storing = [];
    if (applied) this.#stored(ops);
    else this.#fenced();
  }

  /** Nothing is lost: memory has it, and it is stored with what comes next, in its order. */
  #unstored(batch: LatestOps, error: unknown): void {
    this.#storing = [];
    for (const op of this.#ops.list()) batch.add(op);
    this.#ops = batch;
    if (!this.#failing) this.#report(error);
    this.#failing = true;
    if (!this.#ended) this.#storeTimer ??= setTimeout(() => this.#store(), STORE_AGAIN);
  }

  #stored(ops: readonly Op[]): void {
    const { channel, leader } = this.#options;
    if (ops.length) {
      channel.post({ type: "ops", ops, leader });
      this.#run({ type: "stored", ops });
    }
    void this.#store();
  }

  #report(error: unknown): void {
    this.#tab.report(error as RhtmxError);
  }
}
