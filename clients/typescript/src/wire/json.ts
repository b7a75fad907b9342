/**
 * Messages as flat JSON: the name of the case in `type`, its fields beside it.
 *
 * Knows the text. Must not know any message.
 */
import { object } from "./check.ts";
import { fail, refuse, show, unknownType } from "./fail.ts";
import type { CheckMessage, Checks, Fields } from "./check.ts";
import type { Message } from "../messages/types.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads one JSON object. */
export function readJson(data: string | Uint8Array): Fields {
  return object(parse(data), "message");
}

/** Returns a message in its normal form: known fields only, in the schema's order. */
export function checkMessage<M extends Message>(from: Fields, checks: Checks<M>): M {
  const type = from.type;
  if (typeof type !== "string") return fail("type", "a string", type);
  if (!Object.hasOwn(checks, type)) return unknownType("type", `unknown message ${show(type)}`);
  return (checks as Readonly<Record<string, CheckMessage<M>>>)[type]!(from, type);
}

function parse(data: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof data === "string" ? data : UTF8.decode(data));
  } catch {
    return refuse("message", "not JSON: one JSON object in UTF-8 expected");
  }
}
