/**
 * What is in a form.
 *
 * Knows controls and what the browser would submit. Must not know what is asked
 * about it.
 */

import type { FormValue, FormValues } from "../core/options.ts";
import { isPosting, sendsPlainButtons } from "./htmx-requests.ts";
import { member } from "./member.ts";
import type { Control } from "./types.ts";

/** The hidden control that has the receipt of the form: no value of it. */
const RECEIPT = "_rhtmx_receipt";

/**
 * What would be submitted now, by this button: the browser's own entry list, and
 * so with the button itself, with controls that stand elsewhere (`form="id"`), with
 * elements of the page's own, and with what listeners to `formdata` make of it.
 * Several values of one name are a list. Of a file it has what rules can see, and
 * `""` where none was chosen.
 */
export function valuesOf(form: HTMLFormElement, button?: Control | null): FormValues {
  // Without a prototype any name is just a name.
  const values = { __proto__: null } as unknown as Record<string, FormValue | FormValue[]>;
  const data = new FormData(form, submitterOf(form, button));
  const isPlain = button?.form === form && button.type === "button" && button.name;
  if (isPlain && sendsPlainButtons(button)) data.append(button.name, button.value);
  data.delete(RECEIPT);
  for (const [name, entry] of data) {
    const value = typeof entry === "string" ? entry : chosen(entry);
    const before = values[name];
    values[name] = before === undefined ? value : [before, value].flat();
  }
  return values;
}

/** Puts a receipt into the form, so that whatever sends that sends it along. */
export function putReceipt(form: HTMLFormElement, receipt: string): void {
  let [control] = controlsOf(form, RECEIPT) as HTMLInputElement[];
  if (!control) {
    control = member(document, "createElement")("input");
    control.type = "hidden";
    control.name = RECEIPT;
    member(form, "append")(control);
  }
  control.value = receipt;
}

/**
 * Whether the form is posted, by this button: by the browser, by htmx, or by a function that React
 * calls with its values, `<form action={send}>`. Of that the page has an address of `javascript:`.
 */
export function isPosted(form: HTMLFormElement, button: Control | null): boolean {
  const said = (name: string, own: string | null) => button?.getAttribute(`form${name}`) ?? own;
  const method = said("method", member(form, "method"));
  const action = said("action", member(form, "getAttribute")("action"));
  const isOurs = /^post$/i.test(method ?? "") || /^javascript:/.test(action ?? "");
  return isOurs || isPosting(form) || (!!button && isPosting(button));
}

/** The button, if the form is submitted by it: it may have been taken away or changed meanwhile. */
export function submitterOf(form: HTMLFormElement, button?: Control | null): Control | null {
  return button?.form === form && /^(submit|image)$/.test(button.type) ? button : null;
}

/** No file chosen is submitted as one without a name (HTML, "constructing the entry list"). */
function chosen({ name, size, type }: File): FormValue {
  return name ? { name, size, type } : "";
}

/** Whether two values, or all values of two moments, are the same. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The form's controls that have a name, in their order on the page; of one name if given. */
export function controlsOf(form: HTMLFormElement, name?: string): Control[] {
  return ([...member(form, "elements")] as Control[]).filter((each) => {
    const own = nameOf(each);
    return own && own === (name ?? own);
  });
}

/** A control's name. By attribute: an element of the page's own may have no such property. */
export function nameOf(control: Element): string {
  return control.getAttribute("name") ?? "";
}

/** Whether a control takes part in a submission. */
export function isLive(control: Element): boolean {
  return !control.matches(":disabled");
}

/**
 * The controls in which something stands that is no value, as `1-2` in one for numbers
 * or half a date: their value is empty then. The browser says what is wrong with each.
 */
export function badIn(form: HTMLFormElement, field?: string): Control[] {
  // Not where no user can mend it: what is disabled or read-only.
  return controlsOf(form, field).filter((each) => each.willValidate && each.validity?.badInput);
}
