/**
 * Kinds of values that hold others: lists, maps and messages.
 *
 * Knows how each is read and judged, value by value, and the paths of those. Must not know single
 * rules.
 */
import { isObject, keyOf } from "./convert.ts";
import { isZero, judgeMessage, judgeValue } from "./judge.ts";
import { BOOL, textOf, wrong } from "./kinds.ts";
import { type Bad, IGNORE_ZERO, type Kind, type Message, PRESENCE, type Row } from "./message.ts";

const within = (bad: Bad | undefined, at: string): Bad | undefined =>
  bad && ((path, code, words, own) => bad(at + path, code, words, own));

const judged = (
  kind: Kind,
  flags: number,
  rows: readonly Row[],
  json: unknown,
  bad: Bad | undefined,
  now: bigint,
): unknown => {
  if (flags & IGNORE_ZERO) {
    const value = kind.read(json, undefined, now);
    // Nor is what is inside of it judged. Here −0 is zero, as in protovalidate.
    if (value === 0 || (value !== null && isZero(kind, value))) return value;
  }
  const value = kind.read(json, bad, now);
  judgeValue(kind, flags, rows, value, bad, now);
  return value;
};

/**
 * A list.
 *
 * @param kind - of its items.
 * @param rows - the rules of each item.
 * @param flags - of each item, `REQUIRED` and `IGNORE_ZERO`.
 */
export const listOf = (kind: Kind, rows: readonly Row[] = [], flags = 0): Kind => ({
  word: "repeated",
  zero: [],
  item: kind,
  empty: (value: unknown[]) => !value.length,
  read: (json, bad, now) => {
    if (!Array.isArray(json)) return wrong(bad, "a list");
    const values = json.map((each, index) =>
      judged(kind, flags, rows, each, within(bad, `[${index}]`), now),
    );
    return kind.word !== "value" && values.includes(null) ? null : values;
  },
  ...(kind.clean && {
    clean: (json: unknown) =>
      Array.isArray(json) ? json.map((each) => kind.clean!(each as never)) : json,
  }),
  ...(kind.show && { show: kind.show }),
});

const BOOLEAN_KEY: Kind = {
  ...BOOL,
  read: (json, bad) => json === "true" || (json === "false" ? false : wrong(bad, "true or false")),
};

/**
 * A map.
 *
 * @param keys - the kind of its keys, which are texts in JSON.
 * @param kind - of its values.
 * @param keyRows - the rules of each key.
 * @param rows - the rules of each value.
 * @param keyFlags - of each key, as in `listOf`.
 * @param flags - of each value.
 */
export const mapOf = (
  keys: Kind,
  kind: Kind,
  keyRows: readonly Row[] = [],
  rows: readonly Row[] = [],
  keyFlags = 0,
  flags = 0,
): Kind => {
  const isText = keys.word === "string";
  const key = isText ? keys : keys.word === "bool" ? BOOLEAN_KEY : textOf(keys);
  return {
    word: "map",
    zero: new Map(),
    empty: (value: Map<unknown, unknown>) => !value.size,
    read: (json, bad, now) => {
      if (typeof json !== "object" || Array.isArray(json)) return wrong(bad, "an object");
      const values = new Map();
      let readable = true;
      for (const [name, each] of Object.entries(json as object)) {
        const at = within(bad, `[${isText ? JSON.stringify(name) : name}]`);
        const own = judged(key, keyFlags, keyRows, name, at, now);
        const value = judged(kind, flags, rows, each, at, now);
        readable &&= own !== null && (value !== null || kind.word === "value");
        values.set(own, value);
      }
      return readable ? values : null;
    },
    ...(kind.clean && { clean: (json: unknown) => eachOf(json, () => kind) }),
    ...(kind.show && { show: kind.show }),
  };
};

/** An object with the values that are kept in the place of its own. */
const eachOf = (json: unknown, kindOf: (key: string) => Kind | undefined): unknown =>
  isObject(json)
    ? Object.fromEntries(
        Object.entries(json).map(([key, each]) => {
          const { clean } = kindOf(key) ?? {};
          return [key, clean ? clean(each as never) : each];
        }),
      )
    : json;

/**
 * A message within another.
 *
 * @param table - gives its table: a function, since two messages may hold each other.
 */
export const messageOf = (table: () => Message): Kind => ({
  word: "message",
  clean: (json: unknown) =>
    eachOf(json, (key) => table().fields.find((field) => keyOf(field) === key)?.[1]),
  empty: (values: Record<string, unknown>) =>
    table().fields.every(([name, kind, flags = 0]) =>
      flags & PRESENCE ? values[name] === undefined : isZero(kind, values[name]),
    ),
  read: (json, bad, now) =>
    typeof json !== "object" || json === null || Array.isArray(json)
      ? wrong(bad, "an object")
      : judgeMessage(
          table(),
          json,
          bad && ((path, code, words) => bad(path && `.${path}`, code, words, true)),
          now,
        ),
});
