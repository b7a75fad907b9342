/**
 * What generated code imports, and what judges records by it.
 *
 * Which imports which: `declared`, `codecs` → `convert`, `judge`; `judge`, `containers` → `kinds`,
 * `message`; `checks` → `formats`, `pattern`, `cel`; `kinds` → `times`, `text`.
 */
import type { JsonValue } from "./messages/types.ts";

/** A JSON object of whichever keys. */
export type JsonObject = { readonly [key: string]: JsonValue };
export * from "./api/declared.ts";
export * from "./schema/cel.ts";
export type { Amount } from "./schema/cel-numbers.ts";
export type { Nanoseconds } from "./schema/cel-times.ts";
export * from "./schema/checks.ts";
export * from "./schema/codecs.ts";
export { listOf, mapOf, messageOf } from "./schema/containers.ts";
export { type Codec, fromJson, type Shape, toJson, type Values } from "./schema/convert.ts";
export { type Judged, judge } from "./schema/judge.ts";
export * from "./schema/kinds.ts";
export * from "./schema/message.ts";
export { type Duration, type Timestamp, timestampFrom, toDate } from "./schema/times.ts";
export type { JsonValue };
