/**
 * What differs between a page and a program.
 *
 * Knows global names. Must not know the protocol.
 */
import { RhtmxError } from "./errors.ts";
import type { WebSocketClass } from "./socket.ts";

interface Platform {
  readonly location?: { readonly href: string };
  readonly WebSocket?: WebSocketClass;
}

const platform = globalThis as Platform;

/**
 * The absolute `ws:` or `wss:` form of a URL, which in a page may be relative.
 *
 * @throws RhtmxError `not_supported` if it is none.
 */
export function webSocketUrl(url: string): string {
  let absolute: URL;
  try {
    absolute = new URL(url, platform.location?.href);
  } catch {
    throw new RhtmxError("not_supported", `'${url}' is no URL to connect to: ws://… expected`);
  }
  absolute.protocol = absolute.protocol.replace(/^http/, "ws");
  return absolute.href;
}

/**
 * The WebSocket class of this place.
 *
 * @throws RhtmxError `not_supported` if it has none, as Node 20.
 */
export function globalWebSocket(): WebSocketClass {
  if (platform.WebSocket) return platform.WebSocket;
  throw new RhtmxError("not_supported", "there is no WebSocket here: pass one as an option");
}

/** A fresh id that nobody else has; 128 random bits, also on a page without TLS. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
