/**
 * The life of the connections, one after the other: when to connect, when to
 * ping, when to give up on one.
 *
 * Knows phases and deadlines. Must not know messages, sockets or clocks: times
 * are arguments, in milliseconds.
 *
 * | event          | `waiting`    | `connecting` | `greeting` | `open`    | `offline` | `closed` |
 * | -------------- | ------------ | ------------ | ---------- | --------- | --------- | -------- |
 * | `tick`         | `connecting` | =            | =          | =         | =         | =        |
 * | `opened`       | -            | `greeting`   | -          | -         | -         | -        |
 * | `begin`        | -            | -            | `open`     | -         | -         | -        |
 * | `lost`         | -            | `waiting`    | `waiting`  | `waiting` | -         | -        |
 * | `wake`         | =            | =            | =          | =         | =         | =        |
 * | `online`       | -            | -            | -          | -         | `waiting` | -        |
 * | `end(offline)` | `offline`    | `offline`    | `offline`  | `offline` | =         | -        |
 * | `end(closed)`  | `closed`     | `closed`     | `closed`   | `closed`  | -         | =        |
 *
 * `=` is the same phase, `-` an event that does not come in it. What `tick` finds due beside a
 * connection (a ping, or to give up) it says; whoever gives up calls `lost`.
 */
import { Backoff } from "./backoff.ts";

export type Phase = "waiting" | "connecting" | "greeting" | "open" | "offline" | "closed";

/** What the time demands. */
export type Due = "connect" | "ping" | "give up" | undefined;

/** The interval of signs of life until the server names its own. */
const DEFAULT_HEARTBEAT = 20_000;
/** After so many intervals of silence the other side is gone. */
const PATIENCE = 2;
/** After so many milliseconds of silence it is, once somebody is there who waits for it. */
const PROOF = 3_000;
/** What a handshake has that follows one which did not make it in that time, or has just begun. */
const SLOW_HANDSHAKE = 10_000;
/** What comes so soon after it is of one waking: the browser tells in several events. */
const BURST = 100;

export class ConnectionLifecycle {
  readonly #backoff: Backoff;
  #phase: Phase = "waiting";
  #heartbeat = DEFAULT_HEARTBEAT;
  #connectAt = 0;
  #sentAt = 0;
  #receivedAt = 0;
  /** Since when this connection has to prove itself; undefined if it does not. */
  #wokenAt: number | undefined;
  /** Pings without an answer. */
  #pings = 0;
  /** It has to prove itself, but not in a hurry: see `wake`. */
  #slow = false;

  /** @param random a number from 0 to 1, 1 excluded, each time it is called. */
  constructor(random: () => number) {
    this.#backoff = new Backoff(random);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Whether something can be sent. */
  get canSend(): boolean {
    return this.#phase === "greeting" || this.#phase === "open";
  }

  /** When to call `tick` next; undefined for never. */
  get deadline(): number | undefined {
    if (this.#phase === "closed" || this.#phase === "offline") return undefined;
    if (this.#phase === "waiting") return this.#connectAt;
    return this.#phase === "open" ? Math.min(this.#pingAt, this.#goneAt) : this.#goneAt;
  }

  /** Says what is due, and takes it for done. */
  tick(now: number): Due {
    const deadline = this.deadline;
    if (deadline === undefined || now < deadline) return undefined;
    if (this.#phase === "waiting") {
      this.#phase = "connecting";
      this.#heartbeat = DEFAULT_HEARTBEAT;
      this.#receivedAt = now;
      return "connect";
    }
    if (now >= this.#goneAt) return "give up";
    // Timers that are so late stood still: who knows what became of the connection meanwhile.
    if (now - deadline > PROOF) this.wake(now);
    return "ping";
  }

  /** The socket opened. */
  opened(now: number): void {
    this.#phase = "greeting";
    this.#receivedAt = now;
  }

  /** The server welcomed the client; both send something every `heartbeat` milliseconds. */
  begin(heartbeat: number, now: number): void {
    this.#phase = "open";
    if (heartbeat > 0) this.#heartbeat = heartbeat;
    this.#wokenAt = undefined;
    this.#slow = false;
    this.#pings = 0;
    this.#backoff.opened(now);
  }

  /** Something was sent. */
  sent(now: number): void {
    this.#sentAt = now;
  }

  /** Something was received. */
  received(now: number): void {
    this.#receivedAt = now;
  }

  /** A ping is sent. */
  pinged(): void {
    this.#pings += 1;
  }

  /** A ping was answered; they are in order. */
  ponged(): void {
    // The answer to one from before it was woken may have lain here all the time.
    if (--this.#pings < 1) this.#wokenAt = undefined;
  }

  /** The connection ended, or could not be made. `longer`: what to wait on top of the rule. */
  lost(now: number, longer = 0): void {
    this.#slow = this.#phase !== "open" && this.#wokenAt !== undefined;
    this.#wokenAt = undefined;
    this.#phase = "waiting";
    this.#connectAt = now + this.#backoff.wait(now) + longer;
  }

  /**
   * Somebody looks, or there is a network again, and what was true before may be so no
   * longer: what waits does so no longer, and what is there has to prove itself within
   * three seconds. An open connection does by the answer to a ping from now; until that
   * comes, whatever comes gives it three more: on a slow line it stands behind a snapshot.
   * A handshake after one that failed so has ten: with a user who switches tabs often,
   * none on a slow line would ever succeed; and so has one that was begun by this very
   * waking. Woken again meanwhile, it has no more time.
   */
  wake(now: number): void {
    if (this.#phase === "waiting") this.#connectAt = now;
    else if (this.#wokenAt === undefined) {
      this.#wokenAt = now;
      if (this.#phase === "open") this.#sentAt = now - this.#heartbeat;
      else this.#slow ||= now - this.#receivedAt < BURST;
    }
  }

  /** No connection is wanted any more, or for now. */
  end(phase: "closed" | "offline"): void {
    this.#phase = phase;
    this.#wokenAt = undefined;
  }

  /** A connection is wanted again, at once. */
  online(now: number): void {
    this.#phase = "waiting";
    this.#connectAt = now;
  }

  get #pingAt(): number {
    return this.#sentAt + this.#heartbeat;
  }

  get #goneAt(): number {
    const gone = this.#receivedAt + PATIENCE * this.#heartbeat;
    if (this.#wokenAt === undefined) return gone;
    const slow = this.#slow ? SLOW_HANDSHAKE - PROOF : 0;
    return Math.min(gone, Math.max(this.#wokenAt, this.#receivedAt + slow) + PROOF);
  }
}
