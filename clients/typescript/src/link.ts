/**
 * The life of the connections, one after the other: when to connect, when to
 * ping, when to give up on one.
 *
 * Knows phases and deadlines. Must not know messages, sockets or clocks: times
 * are arguments, in milliseconds.
 *
 * | phase        | what comes next                                                  |
 * | ------------ | ---------------------------------------------------------------- |
 * | `waiting`    | its time comes: `connecting`                                     |
 * | `connecting` | the socket opens: `greeting`; it fails: `waiting`                |
 * | `greeting`   | the server welcomes: `open`; silence or an end: `waiting`        |
 * | `open`       | silence or an end: `waiting`                                     |
 * | `offline`    | a connection is wanted again: `waiting`; reached from every phase |
 * | `closed`     | nothing; reached from every phase                                |
 */
import { Backoff } from "./backoff.ts";

export type Phase = "waiting" | "connecting" | "greeting" | "open" | "offline" | "closed";

/** What the time demands. */
export type Due = "connect" | "ping" | "give up" | undefined;

/** The interval of signs of life until the server names its own. */
const DEFAULT_HEARTBEAT = 20_000;
/** After so many intervals of silence the other side is gone. */
const PATIENCE = 2;

export class Link {
  readonly #backoff: Backoff;
  #phase: Phase = "waiting";
  #heartbeat = DEFAULT_HEARTBEAT;
  #connectAt = 0;
  #sentAt = 0;
  #receivedAt = 0;

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
    return now >= this.#goneAt ? "give up" : "ping";
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

  /** The connection ended, or could not be made. `longer`: what to wait on top of the rule. */
  lost(now: number, longer = 0): void {
    this.#phase = "waiting";
    this.#connectAt = now + this.#backoff.wait(now) + longer;
  }

  /** Wanted now: what waits does so no longer, and what is open has to prove itself. */
  wake(now: number): void {
    if (this.#phase === "waiting") this.#connectAt = now;
    else if (this.#phase === "open") this.#sentAt = now - this.#heartbeat;
  }

  /** No connection is wanted any more, or for now. */
  end(phase: "closed" | "offline"): void {
    this.#phase = phase;
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
    return this.#receivedAt + PATIENCE * this.#heartbeat;
  }
}
