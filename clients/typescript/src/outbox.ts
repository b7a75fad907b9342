/**
 * The frames that wait to be written to the socket.
 *
 * Knows the format and the largest message that the server takes. Must not know
 * what is said.
 */
import { RhtmxError } from "./errors.ts";
import { encodeFromClient } from "./wire/index.ts";
import type { ClientMessage } from "./messages/types.ts";
import type { Format, Frame } from "./wire/index.ts";

const UTF8 = new TextEncoder();
/** A UTF-16 unit is at most so many bytes in UTF-8. */
const WIDEST = 3;

/** Encodes what is sent on one connection after the other. */
export class Outbox {
  readonly #format: Format;
  #frames: Frame[] = [];
  /** The largest message that the server takes, in bytes. */
  limit = Number.POSITIVE_INFINITY;

  constructor(format: Format) {
    this.#format = format;
  }

  /**
   * Encodes a message and adds it.
   *
   * @throws RhtmxError `too_large`: the server would close the connection.
   */
  send(message: ClientMessage): void {
    const frame = encodeFromClient(message, this.#format);
    if (frame.length * WIDEST > this.limit) this.#measure(frame);
    this.#frames.push(frame);
  }

  /** Returns the frames and forgets them. */
  take(): Frame[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  #measure(frame: Frame): void {
    const bytes = typeof frame === "string" ? UTF8.encode(frame).length : frame.length;
    if (bytes > this.limit) {
      const words = `the message has ${bytes} bytes, the server takes ${this.limit}`;
      throw new RhtmxError("too_large", `${words}: split it`);
    }
  }
}
