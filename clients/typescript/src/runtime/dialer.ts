/**
 * Makes the connections of a client, with a token for each, and finds out why none can be made.
 *
 * Knows sockets and their addresses. Must not know when a connection is wanted, nor what is said
 * on it: what happens it passes on, as inputs of a session.
 */

import type { Input } from "../core/events.ts";
import type { Plain } from "../core/handshake-failure.ts";
import { explain, misunderstanding, thrown } from "../core/handshake-failure.ts";
import type { WebSocketClass } from "../core/options.ts";
import type { State as Connection } from "../core/tab-messages.ts";
import type { Codec, Frame } from "../wire/format.ts";
import { SUBPROTOCOLS } from "../wire/format.ts";
import { Socket } from "./socket.ts";

/** Where and with what to connect. */
export interface DialOptions {
  readonly url: string;
  readonly WebSocket: WebSocketClass;
  readonly codec: Codec;
  /** A token, or what gets a fresh one for each connection. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** Asks the server by a plain request; undefined for no answer. */
  readonly ask?: ((url: string) => Promise<Plain | undefined>) | undefined;
}

/** For whom connections are made. */
export interface Caller {
  /** Whether there is a connection, and whether there will be one. */
  state(): Connection;
  /** Whether no server has ever welcomed this client. */
  isNew(): boolean;
  /** Takes what has happened. */
  run(input: Input): void;
  /** Takes the token for the next connection; throws if no server takes it. */
  present(token: string): void;
  /** A token could not be had. */
  report(error: unknown): void;
}

/**
 * The close code for a subprotocol that was not chosen: an application's own, browsers let
 * a page say no code of the standard but 1000.
 */
const NO_COMMON_PROTOCOL = 4406;

/** One connection of a client at a time. */
export class Dialer {
  readonly #options: DialOptions;
  readonly #caller: Caller;
  #socket: Socket | undefined;
  /** Counts attempts: a token that comes for an earlier one is of no use. */
  #turn = 0;
  /** What the last socket said about its end. */
  #why: string | undefined;

  constructor(options: DialOptions, caller: Caller) {
    this.#options = options;
    this.#caller = caller;
  }

  /** Makes a connection. */
  async connect(): Promise<void> {
    const { token } = this.#options;
    const { present, run, report } = this.#caller;
    const turn = ++this.#turn;
    if (typeof token === "function") {
      try {
        const fresh = await token();
        if (turn !== this.#turn) return;
        present(fresh);
      } catch (error) {
        report(error);
        if (turn === this.#turn) run({ type: "ended" });
        return;
      }
    }
    this.#dial();
  }

  #dial(): void {
    const { WebSocket, url, codec } = this.#options;
    const { isNew, run } = this.#caller;
    try {
      this.#socket = new Socket(WebSocket, url, SUBPROTOCOLS[codec.format], {
        opened: (spoken) => this.#opened(spoken),
        hangs: () => void (isNew() && this.explain(1, true)),
        received: (data) => run({ type: "frame", data }),
        closed: (code, why) => {
          this.#socket = undefined;
          this.#why = why;
          run({ type: "ended", code });
        },
      });
    } catch (error) {
      run({ type: "ended", why: thrown(url, error) });
    }
  }

  #opened(spoken: string): void {
    const { url, codec } = this.#options;
    const wrong = misunderstanding(url, codec.format, spoken);
    if (wrong) this.disconnect(NO_COMMON_PROTOCOL);
    this.#caller.run(wrong ? { type: "ended", why: wrong } : { type: "opened" });
  }

  /** Finds out why no connection can be made. `hangs`: one is being made, and does not come. */
  async explain(times: number, hangs?: boolean): Promise<void> {
    const { url, ask } = this.#options;
    const { state, isNew, run } = this.#caller;
    const plain = await ask?.(url);
    const why = explain(url, plain, times, isNew(), this.#why);
    if (!why) return;
    run({ type: "explained", why });
    if (!hangs || state() !== "connecting") return;
    this.disconnect(1000);
    run({ type: "ended" });
  }

  /** Sends a frame, if there is a connection. */
  send(frame: Frame): void {
    this.#socket?.send(frame);
  }

  /** Ends the connection, without waiting for the other side. */
  disconnect(code: number): void {
    this.#turn += 1;
    this.#socket?.close(code);
    this.#socket = undefined;
  }
}
