/**
 * What is shown in the place of secret fields, wherever they are in a record.
 *
 * Knows where a schema says that one is secret. Must not know the page. It is pure.
 */

import type { JsonValue } from "../src/index.ts";
import { extrasOf, type Part, partOf, refOf, together } from "./rules.ts";

/** What is said in the place of a value that is secret. */
export const HIDDEN = "•••";

/** A value as it is shown: nothing that is secret in it. */
export type Hide = (value: JsonValue | undefined) => JsonValue | undefined;

/** Says how values of a schema are shown. */
export function hiderOf(schema: Part, definitions: Part): Hide {
  if (extrasOf(schema).secret === true)
    return (value) => (value === undefined || value === null || value === "" ? value : HIDDEN);
  return (value) => {
    if (typeof value !== "object" || value === null) return value;
    const parts = partsOf(schema, definitions);
    if (Array.isArray(value)) {
      const hide = hiderOf(partOf(parts.find(({ items }) => items)?.items), definitions);
      return value.map((each) => hide(each)!);
    }
    const others = partOf(parts.map((each) => each.additionalProperties).find(isPart));
    const hide = (key: string): Hide => {
      const fields = parts.map(({ properties }) => partOf(properties));
      const known = fields.find((each) => Object.hasOwn(each, key));
      return hiderOf(known ? partOf(known[key]) : others, definitions);
    };
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, hide(key)(each)!]));
  };
}

/** Whether a value of a schema may have something secret in it. */
export function hasSecrets(schema: Part, definitions: Part, seen: readonly string[] = []): boolean {
  if (extrasOf(schema).secret === true) return true;
  const name = together(schema).map(refOf).find(Boolean);
  if (name && seen.includes(name)) return false;
  return partsOf(schema, definitions)
    .flatMap((each) => [
      ...Object.values(partOf(each.properties)),
      each.items,
      each.additionalProperties,
    ])
    .filter(isPart)
    .some((each) => hasSecrets(partOf(each), definitions, name ? [...seen, name] : seen));
}

/** What a schema says, also of the message that it leads to. */
function partsOf(schema: Part, definitions: Part): readonly Part[] {
  return together(schema).flatMap((each) => {
    const name = refOf(each);
    return name ? together(partOf(definitions[name])) : [each];
  });
}

function isPart(value: JsonValue | undefined): boolean {
  return Object.keys(partOf(value)).length > 0;
}
