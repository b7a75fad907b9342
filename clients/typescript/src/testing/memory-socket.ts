/**
 * A WebSocket whose other side is in the same program.
 *
 * Knows the WebSocket interface and frames. Must not know what messages mean. Nothing is heard in
 * the call that caused it: it comes with the next microtask, which fake timers leave alone.
 */
import type { WebSocketLike } from "../core/options.ts";
import type { Message, ServerMessage } from "../messages/types.ts";
import { decode, encode, type Format, type Frame, SUBPROTOCOLS } from "../wire/index.ts";

/** The other side. */
export interface SocketHost {
  /** Whether a socket can be opened. */
  readonly isUp: boolean;
  opened(socket: MemorySocket): void;
  heard(socket: MemorySocket, message: Message): void;
  gone(socket: MemorySocket): void;
  /** Something goes on. */
  busy(): void;
}

/** Connecting, open, closing, closed. */
const [CONNECTING, OPEN, , CLOSED] = [0, 1, 2, 3];
const LOST = 1006;

/** One connection. */
export class MemorySocket implements WebSocketLike {
  binaryType = "blob";
  readyState: number = CONNECTING;
  readonly protocol: string;
  onopen: ((event: object) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  readonly #host: SocketHost;
  readonly #format: Format;

  constructor(host: SocketHost, protocols: readonly string[]) {
    this.#host = host;
    this.#format = protocols.includes(SUBPROTOCOLS.proto) ? "proto" : "json";
    this.protocol = SUBPROTOCOLS[this.#format];
    this.#soon(() => {
      if (this.readyState !== CONNECTING) return;
      if (!host.isUp) {
        this.onerror?.({ message: "the network is down (in this test)" });
        this.#end(LOST);
        return;
      }
      this.readyState = OPEN;
      host.opened(this);
      this.onopen?.({});
    });
  }

  /** The client says something. */
  send(data: Frame): void {
    if (this.readyState !== OPEN) return;
    const message = decode(data, this.#format);
    this.#soon(() => {
      if (this.readyState === OPEN) this.#host.heard(this, message);
    });
  }

  /** The client ends it. */
  close(code = 1005): void {
    this.#end(code);
  }

  /** The server says something. */
  says(message: ServerMessage): void {
    // Encoded now: what it is about may change.
    const frame = encode(message, this.#format);
    this.#soon(() => {
      const data = typeof frame === "string" ? frame : frame.buffer;
      if (this.readyState === OPEN) this.onmessage?.({ data });
    });
  }

  /** The server ends it, after what it has said. */
  ends(code: number): void {
    this.#soon(() => this.#end(code));
  }

  /** It is cut: neither side hears a word, and what was on its way is lost. */
  cut(): void {
    this.#end(LOST);
  }

  #end(code: number): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#host.gone(this);
    this.#soon(() => this.onclose?.({ code }));
  }

  #soon(act: () => void): void {
    this.#host.busy();
    // Not `queueMicrotask`: Jest's fake timers take its place.
    void Promise.resolve().then(act);
  }
}
