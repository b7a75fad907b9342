/**
 * Runs a session over real sockets and timers.
 *
 * Knows sockets, the clock and the timer. Must not know what is said: it passes
 * on frames and hands out events, in order.
 */
import { Session } from "./session.ts";
import { Socket } from "./socket.ts";
import { SUBPROTOCOLS } from "./wire/index.ts";
import type { Event } from "./events.ts";
import type { SessionOptions } from "./session.ts";
import type { WebSocketClass } from "./socket.ts";

/** Where and with what to connect. */
export interface RunnerOptions {
  readonly url: string;
  readonly WebSocket: WebSocketClass;
}

/** See the head of the file. */
export class Runner {
  readonly #session: Session;
  readonly #options: SessionOptions & RunnerOptions;
  readonly #tell: (event: Event) => void;
  #socket: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;

  /** @param tell called with every event that is not for the runner itself. */
  constructor(options: SessionOptions & RunnerOptions, tell: (event: Event) => void) {
    this.#options = options;
    this.#session = new Session(options);
    this.#tell = tell;
  }

  /** Does something with the session, and then what follows from it. */
  run<T>(act: (session: Session, now: number) => T): T {
    try {
      return act(this.#session, performance.now());
    } finally {
      this.#settle();
    }
  }

  /** Whether there is a connection, and whether there will be one. */
  get state(): Session["state"] {
    return this.#session.state;
  }

  /** A listener may call `run`: what follows from that is told after what came before. */
  #settle(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#step());
    } finally {
      this.#running = false;
      this.#schedule();
    }
  }

  #step(): boolean {
    const { frames, events } = this.#session.take(performance.now());
    for (const frame of frames) this.#socket?.send(frame);
    for (const event of events) this.#handle(event);
    return frames.length + events.length > 0;
  }

  #handle(event: Event): void {
    if (event.event === "connect") this.#connect();
    else if (event.event === "disconnect") this.#disconnect(event.code);
    else this.#tell(event);
  }

  #connect(): void {
    const { WebSocket, url, format } = this.#options;
    this.#socket = new Socket(WebSocket, url, SUBPROTOCOLS[format], {
      opened: () => this.run((session, now) => session.opened(now)),
      received: (data) => this.run((session, now) => session.receive(data, now)),
      closed: (code) => {
        this.#socket = undefined;
        this.run((session, now) => session.lost(code, now));
      },
    });
  }

  #disconnect(code: number): void {
    this.#socket?.close(code);
    this.#socket = undefined;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { deadline } = this.#session;
    if (deadline === undefined) return;
    const wait = Math.max(0, deadline - performance.now());
    this.#timer = setTimeout(() => this.run((session, now) => session.tick(now)), wait);
  }
}
