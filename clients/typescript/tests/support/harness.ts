/**
 * A session with its clock, and the server's side of its wire.
 */
import { Session } from "../../src/session.ts";
import { decode, encode } from "../../src/wire/index.ts";
import type { Event } from "../../src/events.ts";
import type { Message, Welcome } from "../../src/messages/types.ts";
import type { SessionOptions } from "../../src/session.ts";

export const WELCOME: Welcome = {
  type: "welcome",
  session_id: "s1",
  epoch: "e1",
  last_seq: 0,
  heartbeat: 5_000,
  limits: { message_bytes: 65_536, subscriptions: 128, requests: 64 },
  server_time: "2026-11-22T10:00:00Z",
  schema: "s",
};

export class Harness {
  readonly session: Session;
  /** All events so far. */
  readonly events: Event[] = [];
  now = 0;

  constructor(options: Partial<SessionOptions> = {}) {
    this.session = new Session({ format: "json", random: () => 0.5, clientId: "c1", ...options });
  }

  /** Connects, and is welcomed; returns what was sent by then. */
  open(welcome: Partial<Welcome> = {}): Message[] {
    return [...this.dial(), ...this.says({ ...WELCOME, ...welcome })];
  }

  /** Connects, and is not welcomed yet. */
  dial(): Message[] {
    this.now = Math.max(this.now, this.session.deadline ?? 0);
    this.session.tick(this.now);
    this.session.opened(this.now);
    return this.sent();
  }

  /** The server says something; returns what is sent in answer. */
  says(...messages: Message[]): Message[] {
    for (const message of messages) this.session.receive(encode(message, "json"), this.now);
    return this.sent();
  }

  /** Time passes; returns what is sent. */
  wait(milliseconds: number): Message[] {
    this.now += milliseconds;
    this.session.tick(this.now);
    return this.sent();
  }

  /** The connection ends. */
  lose(code?: number): void {
    this.session.lost(code, this.now);
    this.sent();
  }

  /** What is sent now; events are kept. */
  sent(): Message[] {
    const { frames, events } = this.session.take(this.now);
    this.events.push(...events);
    return frames.map((frame) => decode(frame, "json"));
  }

  /** The events of one kind. */
  of<K extends Event["event"]>(kind: K): Extract<Event, { event: K }>[] {
    return this.events.filter((each) => each.event === kind) as Extract<Event, { event: K }>[];
  }

  /** The states so far. */
  get states(): string[] {
    return this.of("state").map((each) => each.state);
  }
}
