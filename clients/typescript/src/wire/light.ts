/**
 * The JSON format, without the tables of what each message is made of.
 *
 * Knows what is JSON. Must not know any message: what a server says is taken at its word, and what
 * it does not take it says itself. That is for a script which the same server gives out, and which
 * keeps nothing of what it reads; whoever keeps it needs the checks of `index.ts`.
 */
import type { ServerMessage } from "../messages/types.ts";
import { refuse } from "./fail.ts";
import type { Codec } from "./format.ts";
import { parseExactly } from "./value.ts";

/** NUL, or half of a surrogate pair, as `JSON.stringify` writes them, behind no other backslash. */
const NOT_TEXT = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f]..)/;

/** The client's side of it. */
export const LIGHT_CODEC: Codec = {
  format: "json",
  encode(message) {
    const text = JSON.stringify(message);
    // A server would close the connection on it, for good.
    return NOT_TEXT.test(text) ? refuse(message.type, "NUL, or half of a character, in it") : text;
  },
  decode(data) {
    const message = parseExactly(data, "message") as ServerMessage;
    return typeof message?.type === "string" ? message : refuse("type", "not a string");
  },
};
