/**
 * What an inspector says about writes, and about what became of them.
 *
 * Knows words, and the labels of the schema. Must not know the page or the connection.
 */

import type { JsonValue, Pending, TransactionWrite, Violation } from "../src/index.ts";
import type { FieldFacts, MessageFacts, SchemaFacts } from "./describe.ts";
import { entityOf, fieldOf, mergeInWords } from "./describe.ts";
import { partOf } from "./rules.ts";
import { HIDDEN } from "./secrets.ts";
import { valueInWords, wordsFor } from "./values.ts";

/** The entities that hold open conflicts. */
const LOG = "$conflicts/";

/** Two values for one thing: what an inspector shows of a conflict. */
export interface Clash {
  readonly entity: string;
  readonly id: string;
  readonly field?: string | undefined;
  readonly mine?: JsonValue | undefined;
  readonly theirs?: JsonValue | undefined;
  readonly stands?: "mine" | "theirs" | undefined;
  readonly winner: string;
  readonly strategy?: string | undefined;
}

/** A field as people call it. */
export function labelOf(schema: SchemaFacts, entity: string, field: string): string {
  return fieldOf(schema, entity, field)?.label ?? field;
}

/** A value of a field, or a record as a whole, without what is secret in it. */
export function shownValue(
  facts: FieldFacts | MessageFacts | undefined,
  value: JsonValue | undefined,
): string {
  const shown = facts ? facts.hide(value) : value;
  return shown === HIDDEN ? HIDDEN : valueInWords(shown);
}

/** What a write does: `tasks/17: Title “Tea”, Notes nothing`. */
export function writeInWords(
  message: Pending["message"] | TransactionWrite,
  schema: SchemaFacts,
): string {
  if ("writes" in message)
    return message.writes.map((each) => writeInWords(each, schema)).join("; ");
  const { entity, entity_id, action, data, fields: updates }: TransactionWrite = message;
  const place = `${entity}/${entity_id}`;
  if (entity.startsWith(LOG)) return `${place.slice(LOG.length)}: a conflict answered`;
  const said = (key: string, value: JsonValue | undefined) => {
    const field = fieldOf(schema, entity, key);
    return `${field?.label ?? key} ${shownValue(field, value)}`;
  };
  if (updates) {
    const fields = updates.map(({ field, action, value }) =>
      action === "delete" ? `${labelOf(schema, entity, field)} removed` : said(field, value),
    );
    return `${place}: ${fields.join(", ")}`;
  }
  if (action === "delete") return `${place}: deleted`;
  const fields = Object.entries(partOf(data));
  if (!fields.length) return `${place}: ${valueInWords(data)}`;
  return `${place}: ${fields.map(([key, value]) => said(key, value)).join(", ")}`;
}

/** How what a write says is merged with what others write: `Title: the last write wins`. */
export function mergesInWords(
  message: Pending["message"] | TransactionWrite,
  schema: SchemaFacts,
): string {
  const writes = "writes" in message ? message.writes : [message];
  const said = writes.flatMap(({ entity, fields = [] }: TransactionWrite) =>
    fields.flatMap(({ field }) => {
      const { label, merge } = fieldOf(schema, entity, field) ?? {};
      return merge ? [`${label}: ${merge}`] : [];
    }),
  );
  return [...new Set(said)].join("; ");
}

/**
 * What is wrong with a field, or with the record as a whole: `Title is required.`
 *
 * @param record what people call it.
 */
export function violationInWords(
  { field, message }: Pick<Violation, "field" | "message">,
  labelled: (field: string) => string,
  record = "The record",
): string {
  const [name = ""] = /^[^.[]*/.exec(field) ?? [];
  return `${name ? labelled(name) : record}${field.slice(name.length)} ${message}.`;
}

/** Why a write was rejected. */
export function rejectionInWords(code: string, reason: string): string {
  const words = wordsFor(REJECTIONS, code, "The server rejected it");
  return `${words} (${code}): ${reason}${/[.!?]$/.test(reason) ? "" : "."}`;
}

const REJECTIONS: Readonly<Record<string, string>> = {
  conflict: "Somebody else was first",
  invalid: "It would not be valid",
  invalid_data: "It does not fit the record",
  too_large: "It is too large",
  forbidden: "You may not do this",
  bad_message: "The server could not read it",
  upgrade_required: "It was made under an older schema",
};

/** The rule by which a conflict was decided: its own, or that of the field. */
export function decidedInWords(
  { entity, field, strategy }: Pick<Clash, "entity" | "field" | "strategy">,
  schema: SchemaFacts,
): string {
  if (strategy) return mergeInWords(strategy);
  return (field !== undefined && fieldOf(schema, entity, field)?.merge) || "";
}

/** Both values of a conflict: `Yours: “Tea”. Theirs: “Milk”.` */
export function valuesInWords(
  { entity, field, mine, theirs }: Pick<Clash, "entity" | "field" | "mine" | "theirs">,
  schema: SchemaFacts,
): string {
  const facts = field === undefined ? entityOf(schema, entity) : fieldOf(schema, entity, field);
  return `Yours: ${shownValue(facts, mine)}. Theirs: ${shownValue(facts, theirs)}.`;
}

/**
 * Whose value a field has after a conflict. Both values stand beside these words.
 *
 * @param name what the field is called.
 * @param isParty one of them was written here.
 * @param record what people call a record.
 */
export function clashInWords(
  { mine, theirs, winner, stands }: Pick<Clash, "mine" | "theirs" | "winner" | "stands">,
  name: string,
  isParty = true,
  record = "record",
): string {
  const say = (words: string) => `${name}: ${words}.`;
  if (!stands) return say(`another window changed it, too; the server decided: “${winner}”`);
  if (!isParty) return say("two other windows wrote different values");
  const isFirst = (stands === "mine") === (winner === "server");
  if (stands === "mine") {
    if (theirs === undefined)
      return say(`another window had removed the ${record}; yours brought it back`);
    return say(
      isFirst
        ? "yours stays, though another window wrote something else"
        : "yours replaced what another window saved meanwhile",
    );
  }
  if (theirs === undefined)
    return say(`yours was not saved, because another window has removed the ${record}`);
  if (mine === undefined)
    return say(`you had removed the ${record}; another window brought it back`);
  return say(
    isFirst ? "another window replaced yours" : "another window was first, so theirs stays",
  );
}

/** A number of bytes, roughly. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
