/**
 * The tabs of one client: which of them leads, and how they hear of one another.
 *
 * Knows locks, the channel and what a page lives through. Must not know what is
 * told, nor what leading is. Everything of the browser is an argument.
 *
 * Who holds the lock leads, once it has loaded what is stored; it asks for it before that,
 * so that it knows whether others stored something meanwhile. The others stand in line, so
 * that one that closes or crashes is followed at once. One that hangs is found out by asking:
 * timers of hidden tabs are slowed down, the handling of messages is not, so the others ask
 * and the leader answers from its handler. Two questions without an answer, and the asker
 * steals the lock. A tab that hangs itself finds out no faster for it: each of its questions
 * had its time. A page that is frozen or put aside steps down before, and stands in line
 * again when it wakes.
 *
 * Each tab also holds a lock of its own while it is there. The leader stands in line for
 * the locks of all from whom it hears: to get one is to know that its tab is gone, however
 * it went.
 *
 * | event     | `away`       | `in line`           | `has lock` | `leads`   |
 * | --------- | ------------ | ------------------- | ---------- | --------- |
 * | `lead`    | =            | =                   | `leads`    | =         |
 * | `granted` | -            | `has lock`, `leads` | -          | -         |
 * | `stolen`  | -            | -                   | `in line`  | `in line` |
 * | `yield`   | =            | =                   | `in line`  | `in line` |
 * | `freeze`  | =            | `away`              | `away`     | `away`    |
 * | `resume`  | =, `in line` | =                   | =          | =         |
 * | `nobody`  | =            | =                   | =          | =         |
 * | `close`   | =            | `away`              | `away`     | `away`    |
 *
 * `has lock` is a tab that has loaded nothing yet which it could lead with; `nobody` is that no
 * answer comes, three times: the next place in line steals the lock. Nothing resumes after `close`.
 *
 * Each message carries its sender's name and its number. Where one is missing,
 * what is held has to be loaded anew: `lost` says so.
 */

import type { Standing } from "../core/storage-ops.ts";
import type { TabChannel, TabMessage } from "../core/tab-messages.ts";

/** Within two of these, in milliseconds, a leader that hangs is replaced. */
export const HEARTBEAT = 2_500;
/** A leader falls silent up to one of these before the first of two questions that it misses. */
const INTERVAL = 1_600;

/** What a tab tells without words: it asks for a sign of life, gives one, says goodbye. */
type Sign = "ask" | "here" | "bye";
type Envelope = readonly [from: string, count: number, what: TabMessage | Sign];

/** What is taken from `globalThis`. */
export interface Surroundings {
  readonly navigator: { readonly locks: Pick<LockManager, "request"> };
  readonly BroadcastChannel: new (
    name: string,
  ) => Pick<BroadcastChannel, "postMessage" | "onmessage" | "close">;
  readonly performance: { now(): number };
  addEventListener?(name: string, listener: () => void, options: AddEventListenerOptions): void;
  setInterval(act: () => void, milliseconds: number): unknown;
  clearInterval(timer: unknown): void;
}

/** One of several tabs: it leads, or it stands in line. */
export class LeaderElection implements TabChannel {
  onmessage?: (message: TabMessage) => void;
  readonly #name: string;
  readonly #id: string;
  readonly #around: Surroundings;
  readonly #timer: unknown;
  readonly #life = new AbortController();
  /** The last number of each sender. */
  readonly #counts = new Map<string, number>();
  /** The tabs for whose end this one waits, while it leads. */
  readonly #mourned = new Set<string>();
  /** There while the page is not put aside. */
  #channel: InstanceType<Surroundings["BroadcastChannel"]> | undefined;
  #count = 0;
  /** What is to be led; undefined until it is loaded, and once this tab is done. */
  #start: ((waited: boolean) => void) | undefined;
  #stop = () => {};
  #leads = false;
  /** Others led since this tab is there: it may lack what they stored. */
  #waited = false;
  /** This tab's place in line, also while it leads. It has none while it is frozen, or done. */
  #place: AbortController | undefined;
  /** Holds the lock that says that this tab is there. */
  #presence: AbortController | undefined;
  /** Gives the lock back; there while this tab has it. */
  #release: (() => void) | undefined;
  /** Questions without an answer. */
  #silence = 0;
  /** Another tab left: it may have written what it did not tell. */
  #left = false;
  /** When this tab was last seen running. */
  #seen = 0;
  #paused = false;
  #standing: Standing = "shared";

  /**
   * Joins the tabs that share a name.
   *
   * @param name of what they share.
   * @param id of this tab; new each time a page is loaded, so that a copy of a tab is another one.
   */
  constructor(name: string, id: string, around: Surroundings) {
    this.#name = name;
    this.#id = id;
    this.#around = around;
    const listen = (event: string, listener: () => void) =>
      around.addEventListener?.(event, listener, { capture: true, signal: this.#life.signal });
    listen("freeze", () => this.#rest());
    listen("pagehide", () => this.#hide());
    listen("resume", () => this.#wake());
    listen("pageshow", () => this.#wake());
    // Before anything is told: the leader waits for the end of this tab from its first word on.
    this.#attend();
    this.#join();
    this.paused();
    // And before anything is loaded: who has the lock from here on lacks nothing.
    this.#enter({ ifAvailable: true });
    this.#timer = around.setInterval(() => this.#tick(), INTERVAL);
  }

  post(message: TabMessage): void {
    this.#count++;
    this.#send(message);
  }

  lead(start: (waited?: boolean) => void, stop: () => void): void {
    this.#start = start;
    this.#stop = stop;
    this.#begin();
  }

  stand(next: Standing): void {
    this.#standing = next;
    if (next === "shared") this.#again();
    else this.#enter();
  }

  paused(): boolean {
    this.#look();
    const was = this.#paused;
    this.#paused = false;
    return was;
  }

  yield(): void {
    if (this.#release) this.#again();
  }

  close(): void {
    this.#hide();
    this.#start = undefined;
    this.#life.abort();
    this.#around.clearInterval(this.#timer);
  }

  #tick(): void {
    this.#look();
    if (this.#release) {
      if (this.#left) this.onmessage?.({ type: "hole" });
      this.#left = false;
    } else if (this.#place) {
      if (this.#silence++ > 1) this.#enter({ steal: true });
      else this.#send("ask");
    } else if (this.#channel && this.#standing === "alone") {
      // It runs, so it is not frozen any more, though nothing said so; and nobody else leads for it.
      this.#again();
    }
  }

  #look(): void {
    const now = this.#around.performance.now();
    // Two questions take longer than this.
    this.#paused ||= now - this.#seen > HEARTBEAT;
    this.#seen = now;
  }

  #send(what: TabMessage | Sign): void {
    if (this.#standing !== "shared") return;
    this.#channel?.postMessage([this.#id, this.#count, what] satisfies Envelope);
  }

  #hear([from, number, what]: Envelope): void {
    if (this.#standing !== "shared") return;
    this.#look();
    if (this.#isHole(from, number, what)) this.onmessage?.({ type: "lost" });
    if (typeof what === "object") {
      // Whoever hears this of itself is there, and has to be seen to be before it says so.
      if (what.type === "gone" && what.tab === this.#id) this.#attend();
      this.onmessage?.(what);
    } else if (what === "here") this.#silence = 0;
    else if (what === "bye") this.#left = true;
    else if (this.#release) this.#send("here");
    if (this.#release && what !== "bye") this.#mourn(from);
  }

  /** Whether a message of that sender is missing before this one. A sign has the number of the last. */
  #isHole(from: string, number: number, what: TabMessage | Sign): boolean {
    const step = +(typeof what === "object");
    const before = this.#counts.get(from) ?? number - step;
    this.#counts.set(from, number);
    return number !== before + step;
  }

  /** Acts with the lock of a tab, unless that is given up before, or this is no place for locks. */
  #hold(
    whose: string,
    { signal }: AbortController,
    act: () => Promise<void> | void,
  ): Promise<unknown> {
    const held = () => (signal.aborted ? undefined : act());
    const { locks } = this.#around.navigator;
    return locks.request(`${this.#name} ${whose}`, { signal }, held).catch(() => {});
  }

  #attend(): void {
    if (this.#presence) return;
    const mine = (this.#presence = new AbortController());
    const leaves = new Promise<void>((leave) =>
      mine.signal.addEventListener("abort", () => leave()),
    );
    void this.#hold(this.#id, mine, () => leaves).then(() => {
      // It may be taken away, too.
      if (this.#presence === mine) this.#presence = undefined;
    });
  }

  #mourn(whose: string): void {
    if (this.#mourned.has(whose)) return;
    this.#mourned.add(whose);
    void this.#hold(whose, this.#place!, () => {
      this.#mourned.delete(whose);
      const gone: TabMessage = { type: "gone", tab: whose };
      this.post(gone);
      this.onmessage?.(gone);
    });
  }

  /** The lock may be there before what is to be led, or after. */
  #begin(): void {
    if (!this.#release) return;
    this.#look();
    // It hung since it was given the lock: another may have it by now.
    if (this.#paused && this.#standing === "shared") return this.#again();
    if (!this.#start || this.#leads) return;
    this.#leads = true;
    this.#start(this.#waited);
  }

  #lead(done = () => {}): void {
    this.#release = done;
    this.#send("here");
    this.#begin();
  }

  #leave(): void {
    const done = this.#release;
    this.#place?.abort();
    this.#place = this.#release = undefined;
    this.#mourned.clear();
    if (this.#leads) this.#stop();
    this.#leads = false;
    done?.();
  }

  #enter(how?: LockOptions): void {
    this.#leave();
    this.#silence = 0;
    const standing = this.#standing;
    // Nobody can have stored anything for a tab that stands by itself.
    this.#waited = standing === "shared" && !how?.ifAvailable;
    if (standing !== "shared") return standing === "alone" ? this.#lead() : undefined;
    const { signal } = (this.#place = new AbortController());
    this.#around.navigator.locks
      .request(this.#name, how ?? { signal }, (lock) => {
        if (signal.aborted) return undefined;
        if (lock) return new Promise<void>((done) => this.#lead(done));
        // Somebody leads, and goes on storing what this tab does not load.
        return this.#enter();
      })
      .catch((error: Error) => {
        if (signal.aborted) return;
        // Stolen; or this is no place for locks, and nobody can know who leads.
        if (error.name === "AbortError") this.#again();
        else this.onmessage?.({ type: "unshared", why: error.message });
      });
  }

  /** What this tab holds may be more than what was stored, or less. */
  #again(): void {
    this.paused();
    this.#enter();
    this.onmessage?.({ type: "lost" });
  }

  #rest(): void {
    this.#leave();
    this.#presence?.abort();
    this.#presence = undefined;
    this.#send("bye");
  }

  /** Chromium 156 drops a page that it keeps for the way back when a broadcast comes for it. */
  #hide(): void {
    this.#rest();
    this.#channel?.close();
    this.#channel = undefined;
  }

  #wake(): void {
    if (!this.#channel) this.#join();
    this.#attend();
    if (!this.#place && !this.#release) this.#again();
  }

  #join(): void {
    this.#counts.clear();
    this.#channel = new this.#around.BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#hear(data as Envelope);
  }
}
