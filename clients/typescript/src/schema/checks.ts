/**
 * The standard rules of values, one function for each, and those of messages.
 *
 * Knows how to judge one value by arguments, and to say in words what is wrong with it. Must not
 * know paths, or how a value came to be: a check is a pure function.
 */
import type { CelError } from "./cel-logic.ts";
import * as formats from "./formats.ts";
import type { EnumKind } from "./kinds.ts";
import type { Check, MessageCheck } from "./message.ts";
import { matches } from "./pattern.ts";

type Show = (value: unknown) => string;

const count = (number: number, one: string): string => `${number} ${one}${number === 1 ? "" : "s"}`;

const SHOWN = 10;

const list = (values: readonly unknown[], show: Show): string =>
  values.slice(0, SHOWN).map(show).join(", ") + (values.length > SHOWN ? ", …" : "");

// Any kind of value

/** It is equal to the argument. */
export const equals: Check = (value, [wanted], _, show) =>
  value === wanted || [".const", `must be ${show(wanted)}`];

/** It is one of the argument's. */
export const isIn: Check = (value, [choices], _, show) =>
  choices.includes(value) || [".in", `must be one of: ${list(choices, show)}`];

/** It is none of the argument's. */
export const notIn: Check = (value, [choices], _, show) =>
  !choices.includes(value) || [".not_in", `must be none of: ${list(choices, show)}`];

// Numbers, times and durations. NaN holds in no bound, as a comparison with it never does.

/** It is more than the argument. */
export const gt: Check = (value, [bound], _, show) =>
  value > bound || [".gt", `must be more than ${show(bound)}`];

/** It is the argument or more. */
export const gte: Check = (value, [bound], _, show) =>
  value >= bound || [".gte", `must be ${show(bound)} or more`];

/** It is less than the argument. */
export const lt: Check = (value, [bound], _, show) =>
  value < bound || [".lt", `must be less than ${show(bound)}`];

/** It is the argument or less. */
export const lte: Check = (value, [bound], _, show) =>
  value <= bound || [".lte", `must be ${show(bound)} or less`];

/** It is between two bounds, or one of them: what most fields with two bounds say. */
export const inRange: Check = (value, [low, high], _, show) =>
  (value >= low && value <= high) || [".gte_lte", `must be between ${show(low)} and ${show(high)}`];

/**
 * It is between two bounds; outside of them if the first is the greater one. The first argument
 * says which of them are right themselves: `gt_lt`, `gt_lte`, `gte_lt`, `gte_lte`.
 */
export const between: Check = (value, [code, low, high], _, show) => {
  const own = code.startsWith("gte");
  const last = code.endsWith("lte");
  const above = own ? value >= low : value > low;
  const below = last ? value <= high : value < high;
  const more = own ? `${show(low)} or more` : `more than ${show(low)}`;
  const less = last ? `${show(high)} or less` : `less than ${show(high)}`;
  return low > high
    ? above || below || [`.${code}_exclusive`, `must be ${less}, or ${more}`]
    : (above && below) || [`.${code}`, `must be ${more}, and ${less}`];
};

/** It is neither NaN nor infinite. */
export const finite: Check = (value) =>
  Number.isFinite(value) || [".finite", "must be a finite number"];

// Texts: lengths are counted in code points

const size = (value: string | Uint8Array): number =>
  typeof value === "string" ? [...value].length : value.length;

const characters = (value: unknown, number: number): string =>
  `${number} ${typeof value === "string" ? "character" : "byte"}${number === 1 ? "" : "s"}`;

/** It has exactly so many characters; of bytes: bytes. */
export const length: Check = (value, [wanted]) =>
  size(value) === wanted || [".len", `must have exactly ${characters(value, wanted)}`];

/** It has so many characters or more; of bytes: bytes. */
export const minLen: Check = (value, [least]) =>
  size(value) >= least || [".min_len", `must have at least ${characters(value, least)}`];

/** It has so many characters or fewer; of bytes: bytes. */
export const maxLen: Check = (value, [most]) =>
  size(value) <= most || [".max_len", `must have at most ${characters(value, most)}`];

const bytes = (text: string): number => new TextEncoder().encode(text).length;

/** It has exactly so many bytes in UTF-8. */
export const lengthBytes: Check = (value, [wanted]) =>
  bytes(value) === wanted || [".len_bytes", `must have exactly ${count(wanted, "byte")}`];

/** It has so many bytes in UTF-8 or more. */
export const minBytes: Check = (value, [least]) =>
  bytes(value) >= least || [".min_bytes", `must have at least ${count(least, "byte")}`];

/** It has so many bytes in UTF-8 or fewer. */
export const maxBytes: Check = (value, [most]) =>
  bytes(value) <= most || [".max_bytes", `must have at most ${count(most, "byte")}`];

/** The pattern, of which the argument is the table, is found in it. */
export const pattern: Check = (value, [table]) =>
  matches(table, value) || [".pattern", "does not have the expected form"];

/** The pattern is found in the text that it is in UTF-8. */
export const patternBytes: Check = (value, args, now, show) => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
    return pattern(text, args, now, show);
  } catch {
    return [".pattern", "must be text in UTF-8"];
  }
};

/** It begins with the argument. */
export const prefix: Check = (value, [start], _, show) =>
  value.startsWith(start) || [".prefix", `must begin with ${show(start)}`];

/** It ends with the argument. */
export const suffix: Check = (value, [end], _, show) =>
  value.endsWith(end) || [".suffix", `must end with ${show(end)}`];

/** It contains the argument. */
export const contains: Check = (value, [part], _, show) =>
  value.includes(part) || [".contains", `must contain ${show(part)}`];

/** It does not contain the argument. */
export const notContains: Check = (value, [part], _, show) =>
  !value.includes(part) || [".not_contains", `must not contain ${show(part)}`];

/** A check of a text's form. That "" has not got it, is a rule with an id of its own. */
const form =
  (code: string, what: string, holds: (text: string) => boolean): Check =>
  (value) =>
    holds(value) || [`.${code}${value ? "" : "_empty"}`, `must be ${what}`];

/** It is an email address, as a browser's own field for one says. */
export const email: Check = /* @__PURE__ */ form("email", "an email address", formats.isEmail);
/** It is the name of a host. */
export const hostname: Check = /* @__PURE__ */ form("hostname", "a host name", formats.isHostname);
/** It is an IP address; the two below, of one version. */
export const ip: Check = /* @__PURE__ */ form("ip", "an IP address", (text) => formats.isIp(text));
/** It is an IPv4 address. */
export const ipv4: Check = /* @__PURE__ */ form("ipv4", "an IPv4 address", (text) =>
  formats.isIp(text, 4),
);
/** It is an IPv6 address. */
export const ipv6: Check = /* @__PURE__ */ form("ipv6", "an IPv6 address", (text) =>
  formats.isIp(text, 6),
);
/** It is a URI. */
export const uri: Check = /* @__PURE__ */ form("uri", "a URI", formats.isUri);
/** It is a URI, or one relative to another. */
export const uriRef: Check = /* @__PURE__ */ form("uri_ref", "a URI reference", formats.isUriRef);
/** It is the name of a host or an IP address. */
export const address: Check = /* @__PURE__ */ form(
  "address",
  "a host name or an IP address",
  formats.isAddress,
);
/** It is a UUID. */
export const uuid: Check = /* @__PURE__ */ form("uuid", "a UUID", formats.isUuid);
/** It is a UUID without hyphens. */
export const tuuid: Check = /* @__PURE__ */ form(
  "tuuid",
  "a UUID without hyphens",
  formats.isTuuid,
);
/** It is a ULID. */
export const ulid: Check = /* @__PURE__ */ form("ulid", "a ULID", formats.isUlid);
/** It is an IP address with the length of its prefix; the two below, of one version. */
export const ipWithPrefixlen: Check = /* @__PURE__ */ form(
  "ip_with_prefixlen",
  "an IP address with the length of its prefix",
  (text) => formats.isIpPrefix(text),
);
/** It is an IPv4 address with the length of its prefix. */
export const ipv4WithPrefixlen: Check = /* @__PURE__ */ form(
  "ipv4_with_prefixlen",
  "an IPv4 address with the length of its prefix",
  (text) => formats.isIpPrefix(text, 4),
);
/** It is an IPv6 address with the length of its prefix. */
export const ipv6WithPrefixlen: Check = /* @__PURE__ */ form(
  "ipv6_with_prefixlen",
  "an IPv6 address with the length of its prefix",
  (text) => formats.isIpPrefix(text, 6),
);
/** It is an IP prefix, with no bit set after it; the two below, of one version. */
export const ipPrefix: Check = /* @__PURE__ */ form("ip_prefix", "an IP prefix", (text) =>
  formats.isIpPrefix(text, 0, true),
);
/** It is an IPv4 prefix. */
export const ipv4Prefix: Check = /* @__PURE__ */ form("ipv4_prefix", "an IPv4 prefix", (text) =>
  formats.isIpPrefix(text, 4, true),
);
/** It is an IPv6 prefix. */
export const ipv6Prefix: Check = /* @__PURE__ */ form("ipv6_prefix", "an IPv6 prefix", (text) =>
  formats.isIpPrefix(text, 6, true),
);
/** It is a host and a port. */
export const hostAndPort: Check = /* @__PURE__ */ form(
  "host_and_port",
  "a host and a port",
  (text) => formats.isHostAndPort(text, true),
);
/** It is the full name of a part of a schema; the one below, after a dot. */
export const protobufFqn: Check = /* @__PURE__ */ form(
  "protobuf_fqn",
  "the full name of a part of a schema",
  formats.isProtobufFqn,
);
/** It is such a name after a dot. */
export const protobufDotFqn: Check = /* @__PURE__ */ form(
  "protobuf_dot_fqn",
  "the full name of a part of a schema, after a dot",
  formats.isProtobufDotFqn,
);
/** It is the name of an HTTP header; the one below: at least it does not break one. */
export const headerName: Check = /* @__PURE__ */ form(
  "well_known_regex.header_name",
  "the name of an HTTP header",
  (text) => formats.isHeaderName(text),
);
/** It is the name of an HTTP header, by the loose rule. */
export const looseHeaderName: Check = /* @__PURE__ */ form(
  "well_known_regex.header_name",
  "the name of an HTTP header",
  (text) => formats.isHeaderName(text, false),
);
/** It is the value of an HTTP header; the one below: at least it does not break one. */
export const headerValue: Check = /* @__PURE__ */ form(
  "well_known_regex.header_value",
  "the value of an HTTP header",
  (text) => formats.isHeaderValue(text),
);
/** It is the value of an HTTP header, by the loose rule. */
export const looseHeaderValue: Check = /* @__PURE__ */ form(
  "well_known_regex.header_value",
  "the value of an HTTP header",
  (text) => formats.isHeaderValue(text, false),
);
/** It is an absolute `http` or `https` address. */
export const webUrl: Check = /* @__PURE__ */ form(
  "web_url",
  "a web address (http:// or https://)",
  formats.isWebUrl,
);

// Bytes

/** Another check, of bytes as a text with one character for each: `[bytewise, prefix, "\x01"]`. */
export const bytewise: Check = (value: Uint8Array, [check, ...args], now, show) =>
  check(
    value.reduce((text, each) => text + String.fromCharCode(each), ""),
    args,
    now,
    show,
  );

const sized =
  (code: string, what: string, ...sizes: number[]): Check =>
  (value: Uint8Array) =>
    sizes.includes(value.length) || [`.${code}${value.length ? "" : "_empty"}`, `must be ${what}`];

/** It is an IP address; the two below, of one version. */
export const ipBytes: Check = /* @__PURE__ */ sized("ip", "an IP address", 4, 16);
/** It is an IPv4 address, as bytes. */
export const ipv4Bytes: Check = /* @__PURE__ */ sized("ipv4", "an IPv4 address", 4);
/** It is an IPv6 address, as bytes. */
export const ipv6Bytes: Check = /* @__PURE__ */ sized("ipv6", "an IPv6 address", 16);
/** It is a UUID. */
export const uuidBytes: Check = /* @__PURE__ */ sized("uuid", "a UUID", 16);

// Enums

/** It is a value that the enum, the argument, declares. */
export const definedOnly: Check = (value, [kind], _, show) => {
  const numbers = [...new Set(Object.values((kind as EnumKind).words))];
  return numbers.includes(value) || [".defined_only", `must be one of: ${list(numbers, show)}`];
};

// Lists and maps

/** It has so many items or more. */
export const minItems: Check = (value, [least]) =>
  value.length >= least || [".min_items", `must have at least ${count(least, "item")}`];

/** It has so many items or fewer. */
export const maxItems: Check = (value, [most]) =>
  value.length <= most || [".max_items", `must have at most ${count(most, "item")}`];

/** No two of its items are equal. NaN is equal to nothing, and −0 to 0. */
export const unique: Check = (value: unknown[]) => {
  const items = value
    .filter((each) => !Number.isNaN(each))
    .map((each) => (typeof each === "object" ? String(each) : each)); // bytes
  return new Set(items).size === items.length || [".unique", "must not have the same item twice"];
};

const entries = (number: number): string => (number === 1 ? "1 entry" : `${number} entries`);

/** It has so many entries or more. */
export const minPairs: Check = (value, [least]) =>
  value.size >= least || [".min_pairs", `must have at least ${entries(least)}`];

/** It has so many entries or fewer. */
export const maxPairs: Check = (value, [most]) =>
  value.size <= most || [".max_pairs", `must have at most ${entries(most)}`];

// Times, judged at a time

/** It is not after now. */
export const ltNow: Check = (value, _, now) => value <= now || [".lt_now", "must be in the past"];

/** It is not before now. */
export const gtNow: Check = (value, _, now) => value >= now || [".gt_now", "must be in the future"];

/** It is not farther from now than so many nanoseconds; the argument has them as text, too. */
export const within: Check = (value, [distance, text], now) =>
  (value >= now - distance && value <= now + distance) || [
    ".within",
    `must be within ${text} of now`,
  ];

// What protobuf brings along

/** Its type is one of the argument's. */
export const anyIn: Check = (value, [types]) =>
  types.includes(value["@type"]) || [".in", `must be of one of the types ${types.join(", ")}`];

/** Its type is none of the argument's. */
export const anyNotIn: Check = (value, [types]) =>
  !types.includes(value["@type"]) || [
    ".not_in",
    `must be of none of the types ${types.join(", ")}`,
  ];

const under = (path: string, paths: readonly string[]): boolean =>
  paths.some((each) => path === each || path.startsWith(`${each}.`));

/** Its paths are the argument's, in their order. */
export const pathsConst: Check = (value: string[], [paths]) =>
  (value.length === paths.length && value.every((each, index) => each === paths[index])) || [
    ".const",
    `must be ${paths.join(",")}`,
  ];

/** Each of its paths is one of the argument's, or under one. */
export const pathsIn: Check = (value: string[], [paths]) =>
  value.every((each) => under(each, paths)) || [".in", `must only name ${paths.join(", ")}`];

/** None of its paths is one of the argument's, or under one. */
export const pathsNotIn: Check = (value: string[], [paths]) =>
  !value.some((each) => under(each, paths)) || [".not_in", `must not name ${paths.join(", ")}`];

// Rules in CEL

type Holds = (value: never, now: bigint) => boolean | string;

/** What a rule in CEL says of a value; nothing if it holds. */
const said = (words: string, holds: Holds, value: unknown, now: bigint): string => {
  try {
    const held = holds(value as never, now);
    return typeof held === "string" ? held : held ? "" : words;
  } catch (error) {
    // It has no value: a division by zero, an index that is not there.
    return `cannot be judged: ${(error as CelError).message}`;
  }
};

/** A rule in CEL about one value: `[celCheck, id, words, (this, now) => …]`. */
export const celCheck: Check = (value, [code, words, holds], now) => {
  const why = said(words, holds, value, now);
  return !why || [code, why];
};

/** A rule in CEL about a whole message: `[celRule, reads, id, words, (this, now) => …]`. */
export const celRule: MessageCheck = (values, [, , code, words, holds], bad, now) => {
  const why = said(words, holds, values, now);
  if (why) bad("", code, why);
};

// How many of some fields are there

const number = (
  reads: readonly string[],
  isThere: (name: string) => boolean,
  required: unknown,
): readonly [found: number, words: string] => {
  const found = reads.filter(isThere).length;
  const wrong = found > 1 || (required && !found);
  return [found, wrong ? `must have ${found ? "only " : ""}one of ${reads.join(", ")}` : ""];
};

/** The rule of a oneof: `[oneOf, fields, name, required]`. No more than one of them is there. */
export const oneOf: MessageCheck = (values, [, reads, name, required], bad) => {
  const [found, words] = number(reads, (each) => values[each] !== undefined, required);
  if (words) bad(name, found ? "oneof" : "required", words);
};

/**
 * Like `oneOf`, of fields that are in none: `[anyOf, fields, present, required]`. Zero is not there,
 * but of the fields in `present`, which can be absent.
 */
export const anyOf: MessageCheck = (values, [, reads, present, required], bad) => {
  const isThere = (name: string): boolean =>
    present.includes(name) ? values[name] !== undefined : isSet(values[name]);
  const [, words] = number(reads, isThere, required);
  if (words) bad("", "message.oneof", words);
};

const isSet = (value: unknown): boolean =>
  Array.isArray(value) || value instanceof Uint8Array
    ? value.length > 0
    : value instanceof Map
      ? value.size > 0
      : value !== "" && value !== false && !Object.is(value, 0);
