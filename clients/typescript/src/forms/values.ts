/**
 * What is in a form.
 *
 * Knows controls and what the browser would submit. Must not know what is asked
 * about it.
 */
import type { Control } from "./types.ts";

/** What the user entered, by field. */
export type Values = Readonly<Record<string, string>>;

/**
 * What the user entered, as it would be submitted: nothing that is disabled or
 * unchecked, no files. Several values of one name are joined by line breaks,
 * which no value of a single line has.
 */
export function valuesOf(form: HTMLFormElement): Values {
  // Without a prototype any name is just a name.
  const values = { __proto__: null } as unknown as Record<string, string>;
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string") {
      values[name] = name in values ? `${values[name]}\n${value}` : value;
    }
  }
  return values;
}

/** The form's controls that have a name, in their order on the page; of one name if given. */
export function controlsOf(form: HTMLFormElement, name?: string): Control[] {
  return ([...form.elements] as Control[]).filter(
    (each) => each.name && each.name === (name ?? each.name),
  );
}
