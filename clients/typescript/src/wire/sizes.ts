/**
 * How long names, tokens and lists of a message may be.
 *
 * Knows places in messages by their names. Must not know what a message is made of.
 */
import { refuse } from "./fail.ts";
import { checkKey, isText } from "./value.ts";

const UTF8 = /* @__PURE__ */ new TextEncoder();
/** Bytes in a name: see `rhtmx.wire.limits`. */
const MAX_NAME = 255;
/** Bytes in a token, and items of a list. */
const MAX = 4096;

/** Where a name stands; the controls of a page may be called anything. */
const NAMES = /^(?!v.*]).*\.(client_id|entit(y|y_id|ies\[\d+])|field|form(_instance)?|secret)$/;
/** Where one stands that is a key of an object, too: of a record, or of `since`. */
const KEYS = /^(?!v).*(\.entity|]|\.field)$/;
/** Where something stands that is told to everybody in a room; bytes as JSON. */
const TOLD = /^room_(join\.state|message\.data)$/;
/** Where what is written stands: it is the application's own, and was looked at. */
const VALUES = /\.(data|value)$/;

/** Refuses names and numbers that no server takes. */
export function checkSizes(value: unknown, at: string): void {
  if (TOLD.test(at)) return checkSize(UTF8.encode(JSON.stringify(value)), at, "bytes");
  if (typeof value === "string") {
    if (NAMES.test(at)) checkSize(UTF8.encode(value), at, "bytes", MAX_NAME, 1);
    if (KEYS.test(at)) checkKey(value, at);
    if (at.endsWith(".token")) checkSize(UTF8.encode(value), at, "bytes");
    return;
  }
  if (VALUES.test(at)) return;
  if (typeof value === "number" && value < 0) refuse(at, "below 0");
  const inner = Object(value) as unknown[];
  checkSize(inner, at, "items");
  for (const [key, item] of Object.entries(inner)) {
    checkSizes(item, "length" in inner ? `${at}[${key}]` : `${at}.${key}`);
  }
}

/**
 * Refuses a token that no server takes, before it travels.
 *
 * @throws RhtmxError `bad_message`: it is too large, or no text that can be sent.
 */
export function checkToken(token?: string): void {
  if (token == null) return;
  if (!isText(token)) refuse("authenticate.token", "not a string");
  checkSizes({ token }, "authenticate");
}

/** The length of bytes, or of a list of items; what is neither has none. */
function checkSize(
  { length }: ArrayLike<unknown>,
  at: string,
  what: string,
  most = MAX,
  least = 0,
): void {
  if (length < least || length > most)
    refuse(at, `${least} to ${most} ${what} expected, got ${length}`);
}
