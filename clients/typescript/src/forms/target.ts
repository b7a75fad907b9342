/**
 * What a form is about: where it goes, and of which record it is, as far as the page says.
 *
 * Knows attributes and controls. Must not know what that is needed for.
 */
import { member } from "./member.ts";
import { controlsOf, nameOf } from "./values.ts";
import type { Control } from "./types.ts";

/** What has another value on every load, by its name: `_csrf`, `__VIEWSTATE`; see the server's `NO_FIELDS`. */
const TOKEN = /^__|[cx]srf|token|nonce/i;

/** Attributes that say where something in a form posts it, and with which record's id. */
const TARGET = /^(form)?action$|^(data-)?hx-(post|put|patch|action|vals)$/;

/**
 * The form's name, where it goes, by any button or link of it, and what no user sees or
 * edits: hidden fields and the values of buttons.
 */
export function targetOf(form: HTMLFormElement, name: string): unknown[] {
  const attribute = member(form, "getAttribute");
  const elements = [form, ...member(form, "querySelectorAll")("*"), ...member(form, "elements")];
  const goals = [...new Set<Element>(elements)].flatMap((each) =>
    [...member(each, "attributes")]
      .filter((own) => TARGET.test(own.name) && !TOKEN.test(own.value))
      .map((own) => `${own.name} ${own.value}`),
  );
  const hidden = controlsOf(form)
    .filter((each) => /hidden|submit|button/.test(each.type) && !TOKEN.test(nameOf(each)))
    .map((each) => [nameOf(each), each.value]);
  return [name, attribute("id"), attribute("name"), goals, hidden];
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
