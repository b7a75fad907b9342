/**
 * Why no WebSocket could be made, as far as that can be found out.
 *
 * Knows what a plain request to the same address tells. Must not know who asks.
 *
 * A browser tells a page nothing about a handshake that failed: no status, no words, and
 * the close code 1006, so that a page cannot look around in a network that it has no
 * business in (https://websockets.spec.whatwg.org/#feedback-from-the-protocol). What the
 * server has to say to the page it says in answer to a plain request, which it can allow
 * the page to read. `ws` 8 tells the status, or what is wrong with the subprotocol.
 */

import type { Refusal } from "../errors.ts";
import type { Format } from "../wire/index.ts";
import { SUBPROTOCOLS } from "../wire/index.ts";

/** What came of a plain request. */
export interface Plain {
  /** Of HTTP. */
  readonly status: number;
  /** The body, if it is JSON. */
  readonly text: string;
}

/** Handshakes in a row that fail before a client asks why, that the server has welcomed before. */
const SURE = 4;
/** What may pass: it took too long, came too early, or was too much (RFC 9110, 8470, 6585). */
const PASSING = [408, 425, 429];
const FORBIDDEN = 403;
const UPGRADE_REQUIRED = 426;

/**
 * Whether to ask why, after so many handshakes in a row have failed: not each time, and not
 * at once where it worked before. A server that starts anew has enough to do.
 */
export function asks(times: number, known: boolean): boolean {
  return times >= (known ? SURE : 1) && !(times & (times - 1));
}

/**
 * What is wrong, and what to do; undefined if that is not known, or may pass.
 *
 * @param plain the answer to a plain request; undefined for none.
 * @param times handshakes in a row that failed.
 * @param isNew no server has ever welcomed this client: what may pass may as well be a
 *   server that was not started, or another address. The first time it may just be starting.
 * @param why what the socket said, if it did.
 */
export function explain(
  url: string,
  plain: Plain | undefined,
  times: number,
  isNew: boolean,
  why = "",
): Refusal | undefined {
  if (/subprotocol|blocks/i.test(why)) return refusal(url, why);
  const told = +(/response: (\d+)/.exec(why)?.[1] ?? plain?.status ?? NaN);
  const words = told === plain?.status ? said(plain.text) : "";
  const passes = !(told < 500) || PASSING.includes(told);
  // The first time it may just be starting, or have begun to take WebSockets.
  if ((passes || told === UPGRADE_REQUIRED) && times < 2) return undefined;
  if (!passes) return refusal(url, ...meaning(told, words));
  const what = told ? `HTTP ${told}` : why || "no answer that can be read";
  return isNew ? refusal(url, `${what}: is the server running there?`) : undefined;
}

/** What a status that does not pass says of the address, and its code if that is a known one. */
function meaning(told: number, words: string): [words: string, code?: Refusal["code"]] {
  if (told === UPGRADE_REQUIRED) {
    const what = words || "it takes WebSockets";
    return [`${what}: does a proxy pass on 'Upgrade' and 'Sec-WebSocket-Protocol'?`];
  }
  if (told === FORBIDDEN)
    return [`this page or program is refused: ${words || "HTTP 403"}`, "forbidden"];
  if (told < 300) return ["there is a web page: does what serves it pass WebSockets on?"];
  return [`${words || `HTTP ${told}`}: is the path right?`];
}

/**
 * What is wrong with the subprotocol of a socket that opened. Chromium 156 and `ws` open
 * none where none was chosen; Firefox 153 and WebKitGTK 2.50 do. Without one it is JSON.
 *
 * @param spoken the subprotocol that was chosen; empty for none.
 */
export function misunderstanding(url: string, format: Format, spoken: string): Refusal | undefined {
  const offered = SUBPROTOCOLS[format];
  if (spoken === offered || (!spoken && format === "json")) return undefined;
  const what = `it does not speak ${offered}${spoken && `, but ${spoken}`}`;
  return refusal(
    url,
    `${what}; does a proxy drop 'Sec-WebSocket-Protocol'? The format 'json' needs none`,
  );
}

/** What the class of sockets throws: it does not like the address, or where the page comes from. */
export function thrown(url: string, error: unknown): Refusal {
  return refusal(url, (error as Error).message.replace(/\w+:\/\/\S*/g, shown));
}

/**
 * A URL as it may be printed: a password or a token in it may not, nor a part of one. Where
 * a password holds a `/`, `?` or `#`, the name and its start look like a host and a port: of a
 * URL with an `@` behind these, nothing is shown but how it begins.
 *
 * @example
 * shown("wss://ada:secret@example.com/api/ws?token=abc"); // "wss://example.com/api/ws"
 * shown("wss://ada:12/34@example.com/api/ws"); // "wss://…"
 */
export function shown(url: string): string {
  return url.replace(
    /^([^/?#]*\/\/)?([^/?#]*)(.*)/s,
    (_, scheme = "", authority, rest) =>
      scheme +
      (rest.includes("@") ? "…" : authority.replace(/.*@/s, "") + rest.replace(/[?#].*/s, "")),
  );
}

function refusal(url: string, words: string, code: Refusal["code"] = "not_supported"): Refusal {
  return { code, message: `no connection to ${shown(url)}: ${words}`, details: null };
}

/** The words of an `error` message. */
function said(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message: unknown };
    return typeof message === "string" ? message.slice(0, 300) : "";
  } catch {
    return "";
  }
}
