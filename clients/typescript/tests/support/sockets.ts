/**
 * WebSockets without a network: the test is the other side.
 */

import type { WebSocketLike } from "../../src/core/options.ts";
import type { Message } from "../../src/messages/types.ts";
import type { Format, Frame } from "../../src/wire/index.ts";
import { decode, encode } from "../../src/wire/index.ts";

export class FakeWebSocket implements WebSocketLike {
  binaryType = "blob";
  declare protocol?: string;
  declare readyState?: number;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: ((event?: { message: string }) => void) | null = null;
  readonly url: string;
  readonly protocols: string[];
  readonly sent: Frame[] = [];
  closedWith: number | undefined;

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(data: Frame): void {
    this.sent.push(data);
  }

  close(code?: number): void {
    this.closedWith = code;
  }

  get format(): Format {
    return this.protocols[0] === "rhtmx.v1.json" ? "json" : "proto";
  }

  /** The other side accepts. */
  opens(): void {
    this.onopen?.();
  }

  /** The other side says something. */
  says(...messages: Message[]): void {
    for (const message of messages) {
      const frame = encode(message, this.format);
      const data = typeof frame === "string" ? frame : frame.buffer;
      this.onmessage?.({ data });
    }
  }

  /** The connection ends from the other side. */
  ends(code: number): void {
    this.onclose?.({ code });
  }

  /** What was sent since the last call. */
  heard(): Message[] {
    return this.sent.splice(0).map((frame) => decode(frame, this.format));
  }
}

/** A WebSocket class that remembers its instances. */
export function fakeSockets(): { all: FakeWebSocket[]; WebSocket: typeof FakeWebSocket } {
  const all: FakeWebSocket[] = [];
  class Recorded extends FakeWebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      all.push(this);
    }
  }
  return { all, WebSocket: Recorded };
}
