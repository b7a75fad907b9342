/**
 * A schema on the page: for each entity and form its fields, with their rules.
 *
 * Knows elements. Must not know JSON Schema: the words are made in `describe.ts`.
 */

import type { FieldFacts, MessageFacts, SchemaFacts } from "./describe.ts";
import { element } from "./dom.ts";

/** Shows a schema in an element, or why there is none. */
export function showSchema(place: HTMLElement, schema: SchemaFacts, problem: string): void {
  if (problem) place.replaceChildren(element("p", "small", problem));
  else drawSchema(place, schema);
  place.setAttribute("aria-busy", "false");
}

/** Draws a schema into an element, in the place of what is there. */
export function drawSchema(place: HTMLElement, schema: SchemaFacts): void {
  const groups: readonly (readonly [string, readonly MessageFacts[]])[] = [
    ["entity", schema.entities],
    ["form", schema.forms],
    ["a part of others", schema.parts],
  ];
  place.replaceChildren(
    element("p", "small", schema.version),
    ...groups.flatMap(([what, messages]) => messages.map((each) => drawMessage(what, each))),
  );
}

function drawMessage(what: string, message: MessageFacts): HTMLElement {
  const { name, title, about, traits, rules, fields } = message;
  const details = element("details", "message");
  const summary = element("summary", "", element("strong", "", title));
  summary.append(element("span", "small", ` ${what}${name === title ? "" : ` ${name}`}`));
  details.append(summary);
  if (about) details.append(element("p", "small", about));
  const said = [...traits, ...rules];
  if (said.length) details.append(listOf("said", said));
  const list = element("dl", "fields");
  list.append(...fields.map(drawField));
  details.append(list);
  return details;
}

function drawField({ key, label, about, type, rules, merge, traits }: FieldFacts): HTMLElement {
  const term = element("dt", "", label);
  if (label !== key) term.append(" ", element("code", "", key));
  const row = element("div", "", term);
  row.append(element("dd", "type", type));
  if (about) row.append(element("dd", "small", about));
  const said = [...rules, ...traits, ...(merge ? [`merged: ${merge}`] : [])];
  if (said.length) row.append(element("dd", "", listOf("said", said)));
  return row;
}

function listOf(name: string, words: readonly string[]): HTMLElement {
  const list = element("ul", name);
  // Without its marks it would be no list to some readers of screens.
  list.setAttribute("role", "list");
  list.append(...words.map((each) => element("li", "", each)));
  return list;
}
