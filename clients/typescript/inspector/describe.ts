/**
 * An application's schema in words: what `GET /api/schema` answers, as rows that a page can show.
 *
 * Knows how that document is laid out. Must not know the page, nor how it was asked for. It is
 * pure, and knows no application: whatever has a schema is shown by it.
 */

import type { JsonValue } from "../src/index.ts";
import {
  type Entry,
  entryOf,
  extrasOf,
  listOf,
  otherwise,
  type Part,
  partOf,
  refOf,
  rulesInWords,
  typeInWords,
  wordsOfEnum,
} from "./rules.ts";
import { type Hide, hasSecrets, hiderOf } from "./secrets.ts";
import { valueInWords, wordsFor } from "./values.ts";

/** One field. */
export interface FieldFacts {
  /** As records have it. */
  readonly key: string;
  /** As the schema has it, and what is said of it. */
  readonly name: string;
  /** What people call it. */
  readonly label: string;
  /** What it is for; empty if nobody says it. */
  readonly about: string;
  /** What a value of it is. */
  readonly type: string;
  readonly rules: readonly string[];
  /** How concurrent writes of it are merged; empty where there are none. */
  readonly merge: string;
  /** Who writes it and when, and what becomes of it. */
  readonly traits: readonly string[];
  /** A value of it as it is shown. */
  readonly hide: Hide;
  /** How a value of it is entered. */
  readonly entry: Entry;
  /** The words that there are, where it is one of them. */
  readonly choices: readonly string[];
  /** Whether it can be written in a record that is there. */
  readonly isEditable: boolean;
}

/** An entity, a form, or a message within others. */
export interface MessageFacts {
  /** As clients call it; of a message within others that of its class. */
  readonly name: string;
  /** What its class is called. */
  readonly title: string;
  readonly about: string;
  /** How it is kept, and who may do what. */
  readonly traits: readonly string[];
  /** Its records are written as a whole. */
  readonly isWhole: boolean;
  /** A record as it is shown. */
  readonly hide: Hide;
  /** The rules across its fields. */
  readonly rules: readonly string[];
  readonly fields: readonly FieldFacts[];
}

/** A schema. */
export interface SchemaFacts {
  /** Its version, in words. */
  readonly version: string;
  readonly entities: readonly MessageFacts[];
  readonly forms: readonly MessageFacts[];
  /** Messages that are only a part of others. */
  readonly parts: readonly MessageFacts[];
}

/** Where there is none, or it is not known yet. */
export const NO_SCHEMA: SchemaFacts = { version: "", entities: [], forms: [], parts: [] };

/** How concurrent writes of a field are merged. */
export function mergeInWords(strategy: string): string {
  return wordsFor(MERGES, strategy, strategy);
}

/** What is known of an entity; undefined where the schema has none of it. */
export function entityOf(schema: SchemaFacts, entity: string): MessageFacts | undefined {
  return schema.entities.find(({ name }) => name === entity);
}

/** What is known of a field, by its key or its name; undefined where the schema has none of it. */
export function fieldOf(schema: SchemaFacts, entity: string, key: string): FieldFacts | undefined {
  return entityOf(schema, entity)?.fields.find((field) => field.key === key || field.name === key);
}

/** A document of JSON Schema in words. */
export function describe(document: JsonValue): SchemaFacts {
  const { $defs, "x-rhtmx": extras } = partOf(document);
  const definitions = partOf($defs);
  const { version, oldest, hash, entities, forms } = partOf(extras);
  const named = (links: JsonValue | undefined) =>
    Object.entries(partOf(links)).map(([name, link]) => [name, titleOf(link)] as const);
  const [records, values] = [named(entities), named(forms)];
  const linked = new Set([...records, ...values].map(([, title]) => title));
  const facts = ([name, title]: readonly [string, string], isEntity = false) =>
    messageOf(name, title, definitions, isEntity);
  return {
    version: [
      `version ${version}`,
      ...(oldest ? [`writes of version ${oldest} and later are taken`] : []),
      `hash ${hash}`,
    ].join(", "),
    entities: records.map((each) => facts(each, true)),
    forms: values.map((each) => facts(each)),
    parts: Object.keys(definitions)
      .filter((title) => !linked.has(title))
      .map((title) => facts([title, title])),
  };
}

function titleOf(link: JsonValue): string {
  return refOf(partOf(link));
}

function messageOf(
  name: string,
  title: string,
  definitions: Part,
  isEntity: boolean,
): MessageFacts {
  const schema = partOf(definitions[title]);
  const { entity, rules, server_rules } = extrasOf(schema);
  const { whole, merge = "last_write_wins", ...kept } = partOf(entity);
  const properties = Object.entries(partOf(schema.properties));
  const required = listOf(schema.required);
  // Records that are written as a whole have no fields that could be merged.
  const usual = isEntity && !whole ? String(merge) : "";
  const fields = properties.map(([key, value]) =>
    fieldFacts(key, partOf(value), definitions, required.includes(key), usual),
  );
  const labels = new Map(fields.map(({ key, label }) => [key, label]));
  const labelled = (key: JsonValue) => labels.get(String(key)) ?? String(key);
  return {
    name,
    title,
    about: String(schema.description ?? ""),
    isWhole: whole === true,
    hide: hiderOf(schema, definitions),
    traits: isEntity ? entityInWords(!!whole, kept, labelled) : [],
    rules: [
      ...listOf(schema.allOf).flatMap((each) => acrossInWords(partOf(each), labelled)),
      ...listOf(rules).map((each) => ruleInWords(partOf(each), labelled)),
      ...listOf(server_rules).map((id) => `${id}: only the server judges it`),
    ],
    fields,
  };
}

function fieldFacts(
  key: string,
  schema: Part,
  definitions: Part,
  isRequired: boolean,
  usual: string,
): FieldFacts {
  const extras = extrasOf(schema);
  const { merge = usual, scale } = extras;
  const strategy = usual && mergeInWords(String(merge));
  return {
    key,
    name: String(extras.name ?? key),
    label: String(schema.title ?? key),
    about: String(schema.description ?? extras.help ?? ""),
    type: typeInWords(schema),
    rules: rulesInWords(schema, isRequired),
    merge: scale ? `${strategy}, with ${scale} decimals` : strategy,
    traits: traitsInWords(schema, extras),
    hide: hiderOf(schema, definitions),
    entry: entryOf(schema),
    choices: extras.kind === "enum" ? wordsOfEnum(schema) : [],
    isEditable:
      ![extras.read_only, extras.immutable].includes(true) && !hasSecrets(schema, definitions),
  };
}

// How writes are merged.

const MERGES: Readonly<Record<string, string>> = {
  last_write_wins: "the last write wins",
  keep_both: "both are kept until somebody decides",
  server_wins: "who was first, stays",
  client_wins: "what comes later, replaces it",
  counter: "it is counted: no write is lost",
  set: "a set: what is added and removed is merged",
};

// What else is said of a field.

const TRAITS: readonly (readonly [key: string, words: string])[] = [
  ["read_only", "only the server writes it"],
  ["immutable", "written once, with the record"],
  ["secret", "secret: its values are not shown"],
  ["async", "the server is asked, too"],
  ["deliverable", "the server sees whether mail could arrive"],
];

const NORMALIZED: Readonly<Record<string, string>> = {
  trim: "judged without the space around it",
  nfc: "judged in Unicode’s form NFC",
};

const SOURCES: Readonly<Record<string, string>> = {
  now: "begins as the server’s time",
  subject: "begins as who creates the record",
  uuid7: "begins as a new UUID",
};

function traitsInWords(schema: Part, extras: Part): readonly string[] {
  const { default: filled, normalize, oneof } = extras;
  const { source, value } = partOf(filled);
  const known = TRAITS.filter(([key]) => extras[key] === true).map(([, words]) => words);
  return [
    ...known,
    ...(source === undefined ? [] : [wordsFor(SOURCES, source, `begins as: ${source}`)]),
    ...(value === undefined || extras.secret ? [] : [`begins as ${valueInWords(value)}`]),
    ...listOf(normalize).map((each) => wordsFor(NORMALIZED, each, `normalised: ${each}`)),
    ...(oneof === undefined ? [] : [`one of the fields of ${oneof}`]),
    ...(schema.deprecated ? ["no longer to be used"] : []),
  ];
}

// Rules across fields.

/** How many of some fields may be there. */
function acrossInWords(schema: Part, labelled: (key: JsonValue) => string): readonly string[] {
  const choices = listOf(schema.oneOf).map(partOf);
  const keys = choices.flatMap((each) => listOf(each.required));
  if (!keys.length) return [];
  const names = keys.map(labelled).join(", ");
  return [
    choices.some((each) => "not" in each) ? `only one of ${names}` : `exactly one of ${names}`,
  ];
}

function ruleInWords(rule: Part, labelled: (key: JsonValue) => string): string {
  const reads = listOf(rule.reads).map(labelled).join(", ");
  const name = `${rule.id}${reads && ` (${reads})`}`;
  return rule.message === undefined ? name : otherwise(name, rule.message);
}

// How an entity is kept.

function entityInWords(
  whole: boolean,
  { conflicts, partition, access }: Part,
  labelled: (key: JsonValue) => string,
): readonly string[] {
  return [
    ...(whole ? ["written and read as a whole"] : []),
    ...(conflicts === false ? ["writes that lost are not kept"] : []),
    ...listOf(partition).map((keys) => `divided by ${listOf(keys).map(labelled).join(", ")}`),
    ...listOf(access).map((each) => accessInWords(partOf(each), labelled)),
  ];
}

function accessInWords(access: Part, labelled: (key: JsonValue) => string): string {
  const { actions, who, field = "", value } = access;
  const name = labelled(field);
  const people: Readonly<Record<string, string>> = {
    owner: `whom ${name} names`,
    role: `role ${valueInWords(value)}`,
    tenant: `those whose ${value} is its ${name}`,
    equal: `everybody, if ${name} is ${valueInWords(value)}`,
    anyone: "everybody",
    signed_in: "everybody who is signed in",
    backend: "services of the application",
  };
  const may = listOf(actions).join(", ");
  return `${may}: ${wordsFor(people, who, String(who))}`;
}
