/**
 * One WebSocket, in a browser or anywhere else that has the class.
 *
 * Knows the WebSocket interface. Must not know the protocol.
 */
import type { WebSocketClass, WebSocketLike } from "../core/options.ts";
import type { Frame } from "../wire/index.ts";

/** What is heard of a socket. */
export interface SocketListener {
  /** `spoken`: the subprotocol that was chosen; empty for none. */
  opened(spoken: string): void;
  /** It has not opened for a while, nor failed: what answers there may know no WebSocket. */
  hangs(): void;
  received(data: string | Uint8Array): void;
  /** Called once, also if the socket never opened. `why`: in words, where it says so. */
  closed(code: number, why?: string): void;
}

const CLOSED = 3;
/** Milliseconds after which a handshake hangs. */
const HANGS = 5_000;
/** Milliseconds after which a socket that failed has told its end, if it tells it at all. */
const END_COMES = 1_000;
const BLOCKED =
  "the browser blocks it: does the page's Content-Security-Policy allow it (connect-src)?";

/** A connection that falls silent the moment it is closed from this side. */
export class Socket {
  readonly #socket: WebSocketLike;
  readonly #hangs: ReturnType<typeof setTimeout>;

  constructor(make: WebSocketClass, url: string, protocol: string, listener: SocketListener) {
    const socket = new make(url, [protocol]);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.#hangs = setTimeout(() => listener.hangs(), HANGS);
    let why: string | undefined;
    socket.onopen = () => {
      clearTimeout(this.#hangs);
      listener.opened(socket.protocol ?? protocol);
    };
    socket.onmessage = ({ data }: { data: string | ArrayBuffer }) =>
      listener.received(typeof data === "string" ? data : new Uint8Array(data));
    socket.onclose = ({ code }: { code: number }) => {
      socket.onclose = null;
      clearTimeout(this.#hangs);
      listener.closed(code, why);
    };
    // A browser's event says nothing, and `close` follows; without a listener `ws` would throw.
    socket.onerror = (event?: { message?: string }) => {
      why = event?.message;
      // In Chromium 156 none follows where the page's policy blocks it, against the standard.
      setTimeout(() => {
        const { onclose } = socket as { onclose: ((event: { code: number }) => void) | null };
        if (socket.readyState !== CLOSED || !onclose) return;
        why = BLOCKED;
        onclose({ code: 1006 });
      }, END_COMES);
    };
  }

  /** Sends one frame. */
  send(frame: Frame): void {
    this.#socket.send(frame);
  }

  /** Closes without waiting for the other side; nothing is heard of it any more. */
  close(code: number): void {
    const socket = this.#socket;
    clearTimeout(this.#hangs);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code);
  }
}
