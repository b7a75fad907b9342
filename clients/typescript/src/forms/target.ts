/**
 * What a form is about: where it goes, and of which record it is, as far as the page says.
 *
 * Knows attributes and controls. Must not know what that is needed for.
 */
import { member } from "./member.ts";
import type { Control } from "./types.ts";
import { controlsOf, nameOf } from "./values.ts";

/** What has another value on every load, by its name: `_csrf`, `__VIEWSTATE`; see the server's `NO_FIELDS`. */
const TOKEN = /^_(_|rhtmx)|[cx]srf|token|nonce/i;

/** Attributes that say where something in a form posts it, and with which record's id. */
const TARGET = /^(form)?action$|^(data-)?hx-(post|put|patch|action|vals)$/;

/**
 * Which form it is and where it goes, by itself. A framework may turn it into the form of
 * another record in place.
 */
export function targetOf(form: HTMLFormElement): string[] {
  const attribute = member(form, "getAttribute");
  return [...goalsOf(form), `id ${attribute("id")}`, `name ${attribute("name")}`];
}

/**
 * Which form of which record it is: by the form itself, by any button or link of it, and
 * by what no user sees or edits: hidden fields and the values of buttons.
 */
export function recordOf(form: HTMLFormElement): unknown[] {
  const elements = [...member(form, "querySelectorAll")("*"), ...member(form, "elements")];
  const goals = [...new Set<Element>(elements)].flatMap(goalsOf);
  const hidden = controlsOf(form)
    .filter((each) => /hidden|submit|button/.test(each.type) && !TOKEN.test(nameOf(each)))
    .map((each) => [nameOf(each), each.value]);
  return [targetOf(form), goals, hidden];
}

function goalsOf(element: Element): string[] {
  return [...member(element, "attributes")]
    .filter((each) => TARGET.test(each.name) && !TOKEN.test(each.value))
    .map((each) => `${each.name} ${each.value}`);
}

/** Whether a control shows what no user edits. */
export function isFixed(control: Control): boolean {
  return control.matches("[readonly],:disabled");
}

/**
 * What is only compared, in short (FNV-1a, 32 bits): a hidden field may hold what must
 * not lie in the storage.
 */
export function digest(value: unknown): number {
  let hash = 0x811c9dc5;
  for (const each of JSON.stringify(value)) {
    hash = Math.imul(hash ^ each.codePointAt(0)!, 0x01000193);
  }
  return hash;
}
