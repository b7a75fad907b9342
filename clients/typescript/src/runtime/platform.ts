/**
 * What differs between a page and a program.
 *
 * Knows global names. Must not know the protocol.
 */

import type { Plain } from "../core/handshake-failure.ts";
import { shown } from "../core/handshake-failure.ts";
import type { Stop, WebSocketClass } from "../core/options.ts";
import type { TabMessage } from "../core/tab-messages.ts";
import { RhtmxError } from "../errors.ts";

interface Platform {
  readonly location?: { readonly href: string };
  readonly WebSocket?: WebSocketClass;
  readonly indexedDB?: IDBFactory;
  readonly navigator?: { readonly locks?: LockManager };
  readonly BroadcastChannel?: unknown;
  readonly document?: Document;
  readonly scheduler?: { yield?(): Promise<void> };
  readonly addEventListener?: EventTarget["addEventListener"];
}

const platform = globalThis as Platform;

/** Where a relative URL leads without a page: nowhere, RFC 6761, section 6.4. */
const NOWHERE = "ws://page.invalid";

/**
 * The absolute `ws:` or `wss:` form of a URL, which may be relative: to the page, where
 * there is one.
 *
 * @throws RhtmxError `not_supported` if it is none.
 */
export function webSocketUrl(url: string): string {
  let absolute: URL;
  try {
    absolute = new URL(url, platform.location?.href ?? (/^[^:]*$/.test(url) ? NOWHERE : undefined));
  } catch {
    throw new RhtmxError("not_supported", `'${shown(url)}' is no URL of a WebSocket`);
  }
  absolute.protocol = absolute.protocol.replace(/^http/, "ws");
  return absolute.href;
}

/** The WebSocket class of this place, if it has one: Node 20 has none. */
export function globalWebSocket(): WebSocketClass | undefined {
  return platform.WebSocket;
}

/**
 * Why nothing can be connected to from here, if so. That is no error yet: a page that is
 * rendered on a server makes a client and asks it nothing.
 *
 * @param address what `webSocketUrl` has made of the URL.
 */
export function lacking(address: string, WebSocket: unknown): RhtmxError | undefined {
  const noPage = address.startsWith(NOWHERE);
  if (WebSocket && !noPage) return undefined;
  const noSocket = "no WebSocket here: pass that of npm's ws as {WebSocket}";
  return new RhtmxError("not_supported", noPage ? "no page here: give the whole URL" : noSocket);
}

/**
 * Asks the address of a WebSocket by a plain request; undefined if there is no answer, or
 * none that this page may read.
 *
 * A page tells no origin when it reads from its own address: the referrer has it then.
 */
export async function askPlainly(url: string): Promise<Plain | undefined> {
  try {
    const how = { cache: "no-store", referrerPolicy: "origin" } as const;
    const answer = await fetch(url.replace(/^ws/, "http"), how);
    const isJson = answer.headers.get("content-type")?.includes("json");
    return { status: answer.status, text: isJson ? await answer.text() : "" };
  } catch {
    return undefined;
  }
}

/** Resolves in a task of its own, so that the page can do something else first. */
export function pause(): Promise<void> {
  // Elsewhere a message: timers of a hidden page wait for a second.
  return (
    platform.scheduler?.yield?.() ??
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(0);
    })
  );
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
export function watchPage(tell: (message: TabMessage) => void): Stop {
  const { document } = platform;
  const ending = new AbortController();
  const on = (
    target: Pick<Platform, "addEventListener"> | undefined,
    name: string,
    act: (event: PageTransitionEvent) => void,
  ) => {
    // By the prototype: an image of this name hides a document's own, see forms/member.ts.
    const owner = target && target === document ? Object.getPrototypeOf(target) : target;
    owner?.addEventListener?.call(target, name, act as EventListener, ending);
  };
  const wake = () => tell({ type: "wake" });
  on(platform, "online", () => tell({ type: "online", why: "network" }));
  on(platform, "offline", () => tell({ type: "offline", why: "network" }));
  // Back from the cache of pages, or thawed: the socket may be dead and not know it.
  on(platform, "pageshow", ({ persisted }) => persisted && wake());
  on(document, "resume", wake);
  on(document, "visibilitychange", () => document?.visibilityState === "visible" && wake());
  return () => ending.abort();
}
