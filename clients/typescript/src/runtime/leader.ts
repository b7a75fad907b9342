/**
 * The part of a client that leads: runs a session over real sockets and timers,
 * and writes what the server tells into the store.
 *
 * Knows sockets, the clock, the timer and the store. Must not know what is
 * said: it passes on frames, operations and events, in order.
 */

import type { Event } from "../core/events.ts";
import type { Plain } from "../core/handshake-failure.ts";
import { explain, misunderstanding, thrown } from "../core/handshake-failure.ts";
import type { WebSocketClass } from "../core/options.ts";
import { checkToken } from "../core/requests.ts";
import type { SessionOptions } from "../core/session.ts";
import { Session } from "../core/session.ts";
import type { Op } from "../core/storage-ops.ts";
import type { TabMessage } from "../core/tab-channel.ts";
import type { RhtmxError } from "../errors.ts";
import { SUBPROTOCOLS } from "../wire/index.ts";
import { Socket } from "./socket.ts";
import type { Tab } from "./tab.ts";

/** Where and with what to connect. */
export interface LeaderOptions extends SessionOptions {
  readonly url: string;
  readonly WebSocket: WebSocketClass;
  /** The id under which it leads. */
  readonly leader: string;
  /** Asks the server by a plain request; undefined for no answer. */
  readonly ask?: ((url: string) => Promise<Plain | undefined>) | undefined;
}

/** Has a tab lead whenever it is its turn. Call what is returned before the tab is done. */
export function takeTurns(hub: Tab, options: LeaderOptions): () => void {
  let runner: Leader | undefined;
  const stop = () => runner?.stop();
  void hub.ready.then(() => {
    if (hub.connection === "closed") return;
    hub.port.post({ type: "hello" });
    hub.port.lead((waited) => {
      runner = new Leader(options, hub);
      runner.start(waited);
    }, stop);
  });
  return stop;
}

/**
 * The close code for a subprotocol that was not chosen: an application's own, browsers let
 * a page say no code of the standard but 1000.
 */
const NO_COMMON_PROTOCOL = 4406;
/** Milliseconds after which what could not be stored is tried again. */
const STORE_AGAIN = 5_000;

/** See the head of the file. */
export class Leader {
  readonly #hub: Tab;
  readonly #session: Session;
  readonly #options: LeaderOptions;
  #socket: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #storeTimer: ReturnType<typeof setTimeout> | undefined;
  /** What has to be stored, the last word on each thing; a later one stands later. */
  #ops = new Map<string, Op>();
  #failing = false;
  /** Counts attempts: a token that comes for an earlier one is of no use. */
  #turn = 0;
  #running = false;
  #ended = false;
  /** What the last socket said about its end. */
  #why: string | undefined;

  constructor(options: LeaderOptions, hub: Tab) {
    this.#options = options;
    this.#hub = hub;
    this.#session = new Session(options, hub.state);
  }

  /**
   * Begins to lead.
   *
   * @param waited memory may lack what others stored: it is loaded first.
   */
  start(waited?: boolean): void {
    const hub = this.#hub;
    const stored = hub.store.apply([["leader", this.#options.leader]]);
    stored.catch((error) => this.#report(error));
    hub.state.meta.leader = this.#options.leader;
    // What comes until it has begun is said again.
    hub.leader = () => {};
    if (!waited) return this.#begin();
    const loaded = stored.catch(() => {}).then(() => hub.load());
    void loaded.then(() => {
      // Two that found the same leader silent took its place one after the other.
      if (hub.state.meta.leader === this.#options.leader) this.#begin(true);
      else this.#fenced();
    });
  }

  #begin(waited?: boolean): void {
    const hub = this.#hub;
    if (this.#ended) return;
    hub.leader = (message) => this.#run((session, now) => session.told(message, now));
    // First of all whether a connection is wanted.
    for (const why of hub.against) hub.leader({ type: "offline", why });
    this.#again(waited);
    this.#run((session, now) => session.tick(now));
  }

  #again(missed?: boolean): void {
    this.#hub.port.post({ type: "lead", leader: this.#options.leader });
    this.#hub.again(missed);
  }

  /** Leads no longer: what is left is stored, if it may be, and the connection ended. */
  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#hub.leader = undefined;
    this.#store();
    clearTimeout(this.#timer);
    this.#disconnect(1000);
    this.#running = true;
  }

  /** Does something with the session, and then what follows from it. */
  #run(act: (session: Session, now: number) => void): void {
    if (!this.#running && this.#hub.port.paused?.()) this.#doubt();
    act(this.#session, performance.now());
    // A listener may come back here: what follows is told after what came before.
    if (this.#running) return;
    this.#running = true;
    while (this.#step());
    this.#running = false;
    clearTimeout(this.#timer);
    const { deadline } = this.#session;
    if (deadline === undefined) return;
    const wait = Math.max(0, deadline - performance.now());
    this.#timer = setTimeout(() => this.#run((session, now) => session.tick(now)), wait);
  }

  /** Another may lead by now: nothing is sent until the store says that none does. */
  #doubt(): void {
    this.#running = true;
    const go = (leads: boolean) => {
      if (this.#ended) return;
      this.#running = false;
      if (leads) this.#run(() => {});
      else this.#fenced();
    };
    this.#hub.store.apply([], this.#options.leader).then(go, () => go(true));
  }

  #fenced(): void {
    if (this.#ended) return;
    this.stop();
    this.#hub.port.yield?.();
  }

  #step(): boolean {
    const { frames, events, ops } = this.#session.take(performance.now());
    for (const op of ops) {
      this.#keep(op);
      this.#hub.note(op);
    }
    if (ops.length) this.#hub.changed();
    for (const frame of frames) this.#socket?.send(frame);
    for (const event of events) this.#handle(event);
    return frames.length + events.length + ops.length > 0;
  }

  #handle(event: Event): void {
    switch (event.type) {
      case "connect":
        return void this.#connect();
      case "disconnect":
        return this.#disconnect(event.code);
      case "explain":
        return void this.#explain(event.times);
      case "token":
        return void this.#authenticate();
      case "renew":
        return this.#hub.add(event.write);
      case "again":
        return this.#again();
      case "reload":
        return void this.#reload();
      default:
        this.#hub.port.post(event as TabMessage);
        this.#hub.receive(event as TabMessage);
    }
  }

  async #connect(): Promise<void> {
    const { token } = this.#options;
    const turn = ++this.#turn;
    if (typeof token === "function") {
      try {
        const fresh = await token();
        if (turn !== this.#turn) return;
        checkToken(fresh);
        this.#session.token = fresh;
      } catch (error) {
        this.#report(error);
        if (turn === this.#turn) this.#run((session, now) => session.lost(undefined, now));
        return;
      }
    }
    this.#dial();
  }

  #dial(): void {
    const { WebSocket, url, format } = this.#options;
    try {
      this.#socket = new Socket(WebSocket, url, SUBPROTOCOLS[format], {
        opened: (spoken) => this.#opened(spoken),
        hangs: () => void (this.#isNew && this.#explain(1, true)),
        received: (data) => this.#run((session, now) => session.receive(data, now)),
        closed: (code, why) => {
          this.#socket = undefined;
          this.#why = why;
          this.#run((session, now) => session.lost(code, now));
        },
      });
    } catch (error) {
      this.#run((session, now) => session.lost(undefined, now, thrown(url, error)));
    }
  }

  #opened(spoken: string): void {
    const { url, format } = this.#options;
    const wrong = misunderstanding(url, format, spoken);
    if (wrong) this.#disconnect(NO_COMMON_PROTOCOL);
    this.#run((session, now) =>
      wrong ? session.lost(undefined, now, wrong) : session.opened(now),
    );
  }

  /** No server has ever welcomed this client. */
  get #isNew(): boolean {
    return !this.#hub.state.meta.epoch;
  }

  async #explain(times: number, hangs?: boolean): Promise<void> {
    const { url, ask } = this.#options;
    const why = explain(url, await ask?.(url), times, this.#isNew, this.#why);
    if (!why) return;
    this.#run((session, now) => {
      session.explained(why);
      if (!hangs || session.state !== "connecting") return;
      this.#disconnect(1000);
      session.lost(undefined, now);
    });
  }

  #disconnect(code: number): void {
    this.#turn += 1;
    this.#socket?.close(code);
    this.#socket = undefined;
  }

  async #authenticate(): Promise<void> {
    const { token } = this.#options;
    if (typeof token !== "function") return;
    try {
      await this.#hub.ask({ type: "authenticate", token: await token() });
    } catch (error) {
      this.#report(error);
    }
  }

  async #reload(): Promise<void> {
    try {
      await this.#hub.reload(() => {
        const unstored = [...this.#ops.values()];
        this.#store();
        return unstored;
      });
    } catch (error) {
      this.#report(error);
    }
    this.#run((session) => session.loaded());
  }

  #keep(op: Op): void {
    const key = op.slice(0, op[0] === "record" ? 3 : 2).join("\0");
    this.#ops.delete(key);
    this.#ops.set(key, op);
    // Writes that come after these are numbered after, or not sent before.
    if (op[0] === "renumber" || op[0] === "secret") this.#store();
    else this.#storeTimer ??= setTimeout(() => this.#store(), this.#failing ? STORE_AGAIN : 0);
  }

  #store(): void {
    clearTimeout(this.#storeTimer);
    this.#storeTimer = undefined;
    const batch = this.#ops;
    if (!batch.size) return;
    this.#ops = new Map();
    const ops = [...batch.values()];
    this.#hub.store.apply(ops, this.#options.leader).then(
      (applied) => {
        this.#failing = false;
        if (!applied) return this.#fenced();
        this.#hub.port.post({ type: "ops", ops, leader: this.#options.leader });
        this.#run((session) => session.stored(ops));
      },
      (error) => {
        // Nothing is lost: memory has it, and it is stored with what comes next, in its order.
        for (const key of this.#ops.keys()) batch.delete(key);
        this.#ops = new Map([...batch, ...this.#ops]);
        if (!this.#failing) this.#report(error);
        this.#failing = true;
        if (this.#hub.leader) this.#storeTimer ??= setTimeout(() => this.#store(), STORE_AGAIN);
      },
    );
  }

  #report(error: unknown): void {
    this.#hub.receive({ type: "problem", error: error as RhtmxError });
  }
}
