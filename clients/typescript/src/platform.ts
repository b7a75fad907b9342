/**
 * What differs between a page and a program.
 *
 * Knows global names. Must not know the protocol.
 */
import { RhtmxError } from "./errors.ts";
import type { Stop } from "./options.ts";
import type { Told } from "./port.ts";
import type { WebSocketClass } from "./socket.ts";

interface Platform {
  readonly location?: { readonly href: string };
  readonly WebSocket?: WebSocketClass;
  readonly indexedDB?: IDBFactory;
  readonly navigator?: { readonly locks?: LockManager };
  readonly BroadcastChannel?: unknown;
  readonly document?: Document;
  readonly addEventListener?: EventTarget["addEventListener"];
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
    throw new RhtmxError("not_supported", `'${url}' is no URL of a WebSocket`);
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
  throw new RhtmxError("not_supported", "no WebSocket here: pass one as an option");
}

/** A fresh id that nobody else has; 128 random bits, also on a page without TLS. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Whether there is a place to keep things, and tabs can agree on who uses it. Throws where
 * the browser refuses even to be asked: Firefox does, with cookies blocked.
 */
export function hasIndexedDB(): boolean {
  // Two tabs that do not know of each other would send one queue twice.
  return !!platform.indexedDB && (canShare() || !platform.document);
}

/** Whether tabs can find out who of them leads. */
export function canShare(): boolean {
  return !!(platform.navigator?.locks && platform.BroadcastChannel);
}

/** Tells when the network comes and goes, and when somebody looks at the page again. */
export function watchPage(tell: (message: Told) => void): Stop {
  const { document } = platform;
  const ending = new AbortController();
  const on = (
    target: Pick<Platform, "addEventListener"> | undefined,
    name: string,
    act: (event: PageTransitionEvent) => void,
  ) => target?.addEventListener?.(name, act as EventListener, ending);
  const wake = () => tell({ type: "wake" });
  on(platform, "online", () => tell({ type: "online", why: "network" }));
  on(platform, "offline", () => tell({ type: "offline", why: "network" }));
  // Back from the cache of pages, or thawed: the socket may be dead and not know it.
  on(platform, "pageshow", ({ persisted }) => persisted && wake());
  on(document, "resume", wake);
  on(document, "visibilitychange", () => document?.visibilityState === "visible" && wake());
  return () => ending.abort();
}
