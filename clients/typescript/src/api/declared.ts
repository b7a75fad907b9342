/**
 * What generated code declares: entities, forms and records, each with the types of its values.
 *
 * Knows what a declaration is made of. Must not know connections, nor how rules are judged.
 */

import type { Element, Operation } from "../core/operations.ts";
import type { CollectionOptions, Stop } from "../core/options.ts";
import type { Where } from "../core/part.ts";
import { RhtmxError, type Violation } from "../errors.ts";
import { judgedClient } from "../forms/judged-client.ts";
import type { FormsClient } from "../forms/types.ts";
import type { JsonValue, SchemaVersion } from "../messages/types.ts";
import type { Tab } from "../runtime/tab.ts";
import { fromJson, isObject, type Shape } from "../schema/convert.ts";
import { created, partOf } from "../schema/edit.ts";
import { judgeFirst } from "../schema/judge-first.ts";
import type { Message } from "../schema/message.ts";
import { TypedCollection } from "./typed-collection.ts";

export type { Duration, Timestamp } from "../schema/times.ts";
export { timestampFrom, toDate } from "../schema/times.ts";
export type { JsonValue, SchemaVersion };

/** An object of JSON. */
export type JsonObject = { readonly [key: string]: JsonValue };

declare const other: unique symbol;

/** A word of an enum that the schema does not have: a newer one does. It can be written back. */
export type Other<Name extends string> = string & {
  /** Tells it from the words of other enums, for the compiler only. */
  readonly [other]: Name;
};

/** What an edit can say of an integer, beside its value. */
export type OnInteger = Operation<"increment" | "max" | "min", number>;
/** Of an integer that is declared as a counter. */
export type OnCounter = Operation<"increment", number>;
/** Of a number with a fraction. */
export type OnNumber = Operation<"max" | "min", number>;
/** Of a text. */
export type OnText = Operation<"max" | "min", string>;
/** Of a number that is kept as a text. */
export type OnDecimal = Operation<"increment", string>;
/** Of a set. */
export type OnSet<E> = Operation<"add" | "remove", Extract<E, Element>>;
/** Of a list. */
export type OnList<E> = Operation<"append", E>;
/** Of a map. */
export type OnMap<V> = Operation<"set_key", V> | Operation<"delete_key", PropertyKey>;

/** What is wrong with a value, as Standard Schema says it. */
export interface Issue {
  /** Why, in words for the user. */
  readonly message: string;
  /** Where; missing for the value as a whole. */
  readonly path?: readonly PropertyKey[] | undefined;
}

/** A validator as https://standardschema.dev has it, version 1. */
export interface Standard<Input, Output> {
  /** What libraries that take Standard Schema look for. */
  readonly "~standard": {
    /** Of Standard Schema. */
    readonly version: 1;
    /** Who says what is valid. */
    readonly vendor: "rhtmx";
    /** Judges a value: it is made into what is valid, or there are issues. */
    readonly validate: (value: unknown) =>
      | {
          /** What is valid. */
          readonly value: Output;
          /** None. */
          readonly issues?: undefined;
        }
      | {
          /** What is wrong. */
          readonly issues: readonly Issue[];
        };
    /** For the compiler only. */
    readonly types?:
      | {
          /** What may be given. */
          readonly input: Input;
          /** What is made of it. */
          readonly output: Output;
        }
      | undefined;
  };
}

/** What is declared of a message that is only a part of others. */
export interface Declared<T, N> extends Shape, Standard<N, T> {}

/** What is declared of a form; `Field`: what its fields are called in a page, and at the server. */
export interface FormDeclared<N, Field extends string = Extract<keyof N, string>>
  extends Shape,
    Standard<N, N> {
  /** As client and server call it. */
  readonly name: string;
  /** For the compiler only. */
  readonly fields?: Field | undefined;
  /** What to bind the form to: it is judged where it is filled in; see `judgedClient`. */
  readonly judged: (client: FormsClient) => FormsClient;
}

/** What is declared of an entity: how it is read, created, edited, and divided. */
export interface EntityDeclared<T, N, E, W> extends Declared<T, N> {
  /** As client and server call it. */
  readonly name: string;
  /** @internal Makes its collection. */
  readonly open: (tab: Tab, options: CollectionOptions, forget: Stop) => TypedCollection<T, N, E>;
  /** @internal A part of it, by the keys that records have in JSON. */
  readonly part: (where: W) => Where;
}

/** A message that is only a part of others. */
export function record<T, N>(shape: Shape): Declared<T, N> {
  const prepare = (value: object) => created(shape, value);
  const made = (_: object, data: object) => fromJson(shape, data) as T;
  return { ...shape, "~standard": standard<N, T>(shape.rules, prepare, made) };
}

/**
 * A form.
 *
 * @param convert - makes JSON of its values, if some are not what they are in JSON: `toJson`.
 */
export function form<N, Field extends string = Extract<keyof N, string>>(
  name: string,
  shape: Shape,
  convert: (shape: Shape, value: object) => object = (_, value) => value,
): FormDeclared<N, Field> {
  const prepare = (value: object) => [convert(shape, value)] as const;
  const made = (value: object) => value as N;
  const judged = (client: FormsClient) => judgedClient(client, shape);
  return { ...shape, name, judged, "~standard": standard<N, N>(shape.rules, prepare, made) };
}

/**
 * An entity.
 *
 * @param isWhole - its records are written as a whole only.
 * @param version - that of the schema: writes are made under it.
 */
export function entity<T, N, E, W>(
  name: string,
  shape: Shape,
  isWhole = false,
  version = 1,
): EntityDeclared<T, N, E, W> {
  return {
    ...record<T, N>(shape),
    name,
    open: (tab, options, forget) =>
      new TypedCollection<T, N, E>(tab, name, shape, isWhole, options, forget, version),
    part: (where) => partOf(shape, where as object),
  };
}

/**
 * A validator.
 *
 * @param prepare - makes JSON of a value, and says which of its fields are judged, if not all.
 * @param made - makes what is valid.
 */
function standard<I, O>(
  rules: Message,
  prepare: (value: object) => readonly [data: object, changed?: readonly string[]],
  made: (value: object, data: object) => O,
): Standard<I, O>["~standard"] {
  return {
    version: 1,
    vendor: "rhtmx",
    validate(value) {
      if (!isObject(value)) return { issues: [{ message: "must be an object" }] };
      try {
        const [data, changed] = prepare(value);
        const found = judgeFirst(rules, data, { changed, now: BigInt(Date.now()) * 1_000_000n });
        return found.length ? { issues: found.map(issueOf) } : { value: made(value, data) };
      } catch (error) {
        if (!(error instanceof RhtmxError)) throw error;
        return { issues: error.violations.map(issueOf) };
      }
    },
  };
}

function issueOf({ field, message }: Violation): Issue {
  return field ? { message, path: pathOf(field) } : { message };
}

/** The steps of a path: `steps[0].text`, `notes["a b"]`. */
export function pathOf(path: string): PropertyKey[] {
  const steps = path.matchAll(/\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]|\[([^\]]*)\]|([^.[\]]+)/g);
  return [...steps].map(([, text, place, key, name]) =>
    text ? JSON.parse(text) : place ? Number(place) : (key ?? name!),
  );
}
