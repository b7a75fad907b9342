/**
 * What a person entered into the fields of a form, as the values that a record has in JSON.
 *
 * Knows kinds, and which text stands for a value of each. Must not know rules, or where the texts
 * come from.
 */
import type { EnumKind } from "./kinds.ts";
import type { Kind } from "./message.ts";
import { toBool, toFloat, toInt, toWord } from "./text.ts";

/**
 * Reads what a form has for a field.
 *
 * @param kind - of the field.
 * @param texts - of the controls of that name, in the order of the page. Of several for a field of
 *   one value the last one counts, as of a checkbox behind a hidden control.
 * @returns its value as JSON; undefined: nothing was entered.
 * @throws TextError: a text stands for no such value.
 *
 * @example
 * entered(INT32, [" 36 "]); // 36
 */
export function entered(kind: Kind, texts: readonly string[]): unknown {
  const { item } = kind;
  if (!item) return enteredOne(kind, texts.at(-1));
  const values = texts.map((each) => enteredOne(item, each)).filter((each) => each !== undefined);
  return values.length ? values : undefined;
}

function enteredOne(kind: Kind, text = ""): unknown {
  const { word, enter, inText } = kind;
  if (enter) return enter(text);
  if (/int|fixed/.test(word)) {
    const number = toInt(text);
    return inText ? number?.toString() : number;
  }
  if (word === "float" || word === "double") return toFloat(text);
  if (word === "bool") return toBool(text);
  if (word === "enum") return toWord(text, Object.keys((kind as EnumKind).words));
  // A text is entered as it is, space and all: rules and what is normalized say what becomes of it.
  return text || undefined;
}
