/**
 * What a value is, and which rules it has to keep, in words for people: read from JSON Schema, and
 * from what stands beside it under `x-rhtmx`.
 *
 * Knows the keywords that `GET /api/schema` uses. Must not know fields, messages, or the page. It is
 * pure. What it does not know it leaves out, but for rules: those are told by their id.
 */

import type { JsonValue } from "../src/index.ts";
import { valueInWords, wordsFor } from "./values.ts";

/** A schema, or a part of one. */
export type Part = { readonly [key: string]: JsonValue };

/** An object of a document; an empty one where there is none. */
export function partOf(value: JsonValue | undefined): Part {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Part)
    : {};
}

/** A list of a document; an empty one where there is none. */
export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** What is said of a schema that JSON Schema has no words for. */
export function extrasOf(schema: Part): Part {
  return partOf(schema["x-rhtmx"]);
}

/** What a value is: `text`, `list of whole numbers`, `one of todo, doing, done`. */
export function typeInWords(schema: Part): string {
  return typeOf(schema, String(extrasOf(schema).kind ?? ""));
}

/**
 * The rules of a value, each in words.
 *
 * @param isRequired it has to be there: a text that is needed is not empty, which goes without saying.
 */
export function rulesInWords(schema: Part, isRequired = false): readonly string[] {
  return rulesOf(schema, String(extrasOf(schema).kind ?? ""), isRequired);
}

/** @param kind of a value, of the items of a list, of the values of a map: as the field says it. */
function rulesOf(schema: Part, kind: string, isRequired = false): readonly string[] {
  const extras = extrasOf(schema);
  const rules = listOf(extras.rules).map(partOf);
  const hasFormat = together(schema).some(({ format }) => format !== undefined);
  const ids = new Set(rules.map(({ id }) => lastOf(id)));
  const context: Context = { kind, own: partOf(extras.words), isRequired, hasFormat, ids };
  const said = wordsOf(schema, context);
  const listed = rules.map((rule) => listedRule(rule, context));
  const first = isRequired ? [withOwn(context, "required", "required")] : [];
  return [...new Set([...first, ...said, ...listed, ...withinInWords(schema, kind)])];
}

/** How people enter a value: as a text, a number, one of some words, or as JSON. */
export type Entry = "text" | "number" | "choice" | "yes or no" | "json";

/** How a value of a field is entered. */
export function entryOf(schema: Part): Entry {
  const words = typeInWords(schema);
  if (words.startsWith("one of")) return "choice";
  return ENTRIES[words] ?? "json";
}

const ENTRIES: Readonly<Record<string, Entry>> = {
  text: "text",
  bytes: "text",
  "date and time": "text",
  "span of time": "text",
  "names of fields": "text",
  "whole number, as a text": "text",
  "whole number": "number",
  number: "number",
  "yes or no": "yes or no",
};

// What a value is.

const KINDS: Readonly<Record<string, string>> = {
  float: "number",
  double: "number",
  bytes: "bytes",
  timestamp: "date and time",
  duration: "span of time",
  any: "any message",
  field_mask: "names of fields",
  value: "any JSON",
  struct: "JSON object",
  list_value: "JSON list",
};

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  boolean: "yes or no",
  integer: "whole number",
  number: "number",
  array: "list",
  object: "object",
};

const INTEGER = /int|fixed/;

/** The texts that are whole numbers. */
const DECIMAL = "^(?:0|-?[1-9][0-9]*)$";

function typeOf(schema: Part, kind: string): string {
  const parts = together(schema);
  const ref = parts.map(refOf).find(Boolean);
  if (ref) return ref;
  const type = parts.flatMap((each) => [each.type ?? []].flat()).find((each) => each !== "null");
  const items = parts.find((each) => each.items)?.items;
  if (items) return `list: ${typeOf(partOf(items), kind)}`;
  const values = parts.find((each) => typeof each.additionalProperties === "object");
  if (values) return `by key: ${typeOf(partOf(values.additionalProperties), kind)}`;
  if (kind === "enum") return `one of ${wordsOfEnum(schema).join(", ")}`;
  if (INTEGER.test(kind)) return type === "string" ? "whole number, as a text" : "whole number";
  return wordsFor(KINDS, kind, wordsFor(TYPES, type, "any JSON"));
}

/** The words of an enum. */
export function wordsOfEnum(schema: Part): readonly string[] {
  const all = together(schema).flatMap((each) => [each, ...listOf(each.anyOf).map(partOf)]);
  const words = all.flatMap((each) => listOf(each.enum)).filter((each) => typeof each === "string");
  return words.filter((each) => each !== "") as string[];
}

/** What the message is called that a schema leads to; empty if it leads to none. */
export function refOf({ $ref }: Part): string {
  return typeof $ref === "string" ? $ref.split("/").at(-1)! : "";
}

/** The parts of a schema that hold together; those that only say that it may be missing are left out. */
export function together(schema: Part): readonly Part[] {
  const choices = choicesOf(schema);
  const one = choices.length === 1 ? together(choices[0]!) : [];
  return [schema, ...listOf(schema.allOf).flatMap((each) => together(partOf(each))), ...one];
}

/** What a value may be of several, but for null. */
function choicesOf(schema: Part): readonly Part[] {
  return listOf(schema.anyOf)
    .map(partOf)
    .filter(({ type }) => type !== "null");
}

// Its rules.

/** What there is to know of the value beside a single rule. */
interface Context {
  readonly kind: string;
  /** Words of the application, by the id of the rule. */
  readonly own: Part;
  readonly isRequired: boolean;
  /** Its pattern is that of a format, which has a name. */
  readonly hasFormat: boolean;
  /** The rules that are listed, by the last part of their id. */
  readonly ids: ReadonlySet<string>;
}

type Say = (value: JsonValue, context: Context) => string;

const count = (size: JsonValue, one: string): string => `${size} ${one}${size === 1 ? "" : "s"}`;
const choice = (values: JsonValue): string =>
  listOf(values)
    .filter((each) => each !== null)
    .map(valueInWords)
    .join(", ");
const unit: Say = (_, { kind }) => (kind === "bytes" ? "byte" : "character");
const isTime = ({ kind }: Context): boolean => kind === "timestamp";

/** What a rule says, by the last part of its id. */
const RULES: Readonly<Record<string, Say>> = {
  const: (value) => `is ${valueInWords(value)}`,
  in: (values) => `one of ${choice(values)}`,
  not_in: (values) => `none of ${choice(values)}`,
  gt: (value, context) => (isTime(context) ? `after ${value}` : `more than ${value}`),
  gte: (value, context) => (isTime(context) ? `${value} or later` : `${value} or more`),
  lt: (value, context) => (isTime(context) ? `before ${value}` : `less than ${value}`),
  lte: (value, context) => (isTime(context) ? `${value} or earlier` : `${value} or less`),
  lt_now: () => "in the past",
  gt_now: () => "in the future",
  within: (value) => `within ${value} of now`,
  finite: () => "finite",
  len: (size, context) => `exactly ${count(size, unit(size, context))}`,
  min_len: (size, context) => `at least ${count(size, unit(size, context))}`,
  max_len: (size, context) => `at most ${count(size, unit(size, context))}`,
  len_bytes: (size) => `exactly ${count(size, "byte")}`,
  min_bytes: (size) => `at least ${count(size, "byte")}`,
  max_bytes: (size) => `at most ${count(size, "byte")}`,
  pattern: (pattern) => (pattern === DECIMAL ? "a whole number" : `matches ${pattern}`),
  prefix: (text) => `begins with ${valueInWords(text)}`,
  suffix: (text) => `ends with ${valueInWords(text)}`,
  contains: (text) => `contains ${valueInWords(text)}`,
  not_contains: (text) => `does not contain ${valueInWords(text)}`,
  min_items: (size) => `at least ${count(size, "item")}`,
  max_items: (size) => `at most ${count(size, "item")}`,
  min_pairs: (size) => `at least ${count(size, "key")}`,
  max_pairs: (size) => `at most ${count(size, "key")}`,
  unique: () => "no item twice",
  email: () => "an email address",
  hostname: () => "the name of a host",
  ip: () => "an IP address",
  ipv4: () => "an IPv4 address",
  ipv6: () => "an IPv6 address",
  uri: () => "a URI",
  uri_ref: () => "a URI, or a part of one",
  web_url: () => "an http or https address",
  address: () => "the name or the IP address of a host",
  uuid: () => "a UUID",
  tuuid: () => "a UUID without dashes",
  ulid: () => "a ULID",
  host_and_port: () => "a host and a port",
};

/** Which rule a keyword of JSON Schema says. */
const KEYWORDS: Readonly<Record<string, string>> = {
  const: "const",
  enum: "in",
  exclusiveMinimum: "gt",
  minimum: "gte",
  exclusiveMaximum: "lt",
  maximum: "lte",
  minLength: "min_len",
  maxLength: "max_len",
  pattern: "pattern",
  format: "format",
  minItems: "min_items",
  maxItems: "max_items",
  minProperties: "min_pairs",
  maxProperties: "max_pairs",
  uniqueItems: "unique",
};

/** Which rule a format is. */
const FORMATS: Readonly<Record<string, string>> = { "uri-reference": "uri_ref" };

/** The bounds of the integers, that nobody has written. */
const BOUNDS: ReadonlySet<JsonValue> = new Set(
  [31, 32, 53].flatMap((bits) => [2 ** bits - 1, 1 - 2 ** bits, -(2 ** bits)]),
);

function wordsOf(schema: Part, context: Context): readonly string[] {
  const parts = together(schema);
  return parts.flatMap((part) => {
    const choices = choicesOf(part);
    const said = Object.keys(part).flatMap((key) => keywordInWords(key, part, context));
    // An open enum is words, or anything else.
    if (choices.length < 2 || context.kind === "enum") return said;
    return [...said, ...choiceInWords(choices, context)];
  });
}

function keywordInWords(keyword: string, part: Part, context: Context): readonly string[] {
  const value = part[keyword]!;
  if (keyword === "not") return notInWords(partOf(value), context);
  const rule = wordsFor(KEYWORDS, keyword, "");
  if (!rule || isImplied(keyword, value, context)) return [];
  if (rule === "format") return formatInWords(String(value), context);
  if (rule === "min_len" && part.maxLength === value) return [say("len", value, context)];
  if (rule === "max_len" && part.minLength === value) return [];
  return [say(rule, value, context)];
}

/** What goes without saying: it is what the type means, or said better elsewhere. */
function isImplied(
  keyword: string,
  value: JsonValue,
  { kind, isRequired, hasFormat }: Context,
): boolean {
  if (keyword === "enum") return kind === "enum";
  if (keyword === "pattern") return kind !== "" || hasFormat;
  if (keyword === "minLength" || keyword === "minItems" || keyword === "minProperties")
    return isRequired && value === 1;
  if (!/imum$/i.test(keyword)) return false;
  // Of a float the bounds are those of what is rounded to it: the rule itself is listed.
  if (kind === "float" || BOUNDS.has(value)) return true;
  return keyword === "minimum" && value === 0 && /^(uint|fixed)/.test(kind);
}

function formatInWords(format: string, context: Context): readonly string[] {
  if (context.kind !== "" || context.ids.has("web_url")) return [];
  const rule = wordsFor(FORMATS, format, format);
  return Object.hasOwn(RULES, rule) ? [say(rule, true, context)] : [format];
}

/** What a value must not be; that it is not zero, is what `required` means. */
function notInWords(schema: Part, context: Context): readonly string[] {
  const { kind, isRequired } = context;
  if ("enum" in schema) {
    const values = listOf(schema.enum);
    if (kind !== "enum") return [say("not_in", values, context)];
    const words = values.filter((each) => typeof each === "string");
    return isRequired && words.includes("") ? [] : [say("not_in", words, context)];
  }
  if (!("const" in schema)) return [];
  if (isRequired && !schema.const) return [];
  return [say("not_in", [schema.const!], context)];
}

/** Several schemas one of which holds: nothing, or the rules; or bounds that leave out the middle. */
function choiceInWords(choices: readonly Part[], context: Context): readonly string[] {
  const said = choices.map((each) =>
    isZero(each) ? "nothing" : wordsOf(each, context).join(", "),
  );
  const words = said.filter((each) => each !== "");
  return words.length > 1 ? [words.join(", or ")] : [];
}

function isZero(schema: Part): boolean {
  const keys = Object.keys(schema);
  if (keys.length !== 1) return false;
  if ("const" in schema) {
    const value = schema.const!;
    return !value || value === "0" || (typeof value === "object" && !Object.keys(value).length);
  }
  return listOf(schema.enum).includes(0);
}

/** A rule that JSON Schema cannot say. */
function listedRule({ id, value = null, message }: Part, context: Context): string {
  const rule = lastOf(id);
  if (message !== undefined) return otherwise(String(id), message);
  if (Object.hasOwn(RULES, rule)) return say(rule, value, context);
  const bounds = /^(gte?)_(lte?)(_exclusive)?$/.exec(rule);
  const name = value === null ? String(id) : `${id}: ${valueInWords(value)}`;
  if (!bounds) return withOwn(context, rule, name);
  const [, low = "", high = "", isOutside] = bounds;
  const [least = null, most = null] = listOf(value);
  const both = [RULES[low]!(least, context), RULES[high]!(most, context)];
  return withOwn(context, rule, both.join(isOutside ? ", or " : ", "));
}

function say(rule: string, value: JsonValue, context: Context): string {
  return withOwn(context, rule, RULES[rule]!(value, context));
}

/** With what the application says to whoever breaks the rule, if it has own words for that. */
function withOwn({ own }: Context, rule: string, usual: string): string {
  const [, words] = Object.entries(own).find(([id]) => lastOf(id) === rule) ?? [];
  return words === undefined ? usual : otherwise(usual, words);
}

/** A rule, and what is said to whoever breaks it. */
export function otherwise(rule: string, words: JsonValue): string {
  return `${rule}, otherwise ${valueInWords(words)}`;
}

function lastOf(id: JsonValue | undefined): string {
  return String(id).split(".").at(-1)!;
}

/** The rules of what is in a list, or by key. */
function withinInWords(schema: Part, kind: string): readonly string[] {
  return together(schema).flatMap(
    ({ items, additionalProperties: values, propertyNames: keys }) => [
      ...within("each", items, kind),
      ...within("each", typeof values === "object" ? values : undefined, kind),
      ...within("each key", keys, ""),
    ],
  );
}

function within(which: string, schema: JsonValue | undefined, kind: string): readonly string[] {
  if (schema === undefined) return [];
  const said = rulesOf(partOf(schema), kind);
  return said.length ? [`${which}: ${said.join(", ")}`] : [];
}
