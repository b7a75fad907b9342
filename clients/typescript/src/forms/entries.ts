/**
 * What stands in one control: taken, put back, and whether it may be kept.
 *
 * Knows controls. Must not know when and where it is kept.
 *
 * Never kept: what is hidden, a file, a password (also one that the page shows for a
 * moment), a card, a code that is used once, and whatever the page asks the browser
 * not to remember (`autocomplete="off"`, of the control or the form). Nor, in a form that is bound
 * with its schema, what that says is `secret`.
 */
import { member } from "./member.ts";
import type { Control } from "./types.ts";
import { controlsOf, nameOf } from "./values.ts";

const PRIVATE = /^(file|hidden) |passw|pwd|card|cvc|cvv|\bcc-|one-time| off$/i;

/** A text, whether it is ticked, or which options are selected. */
export type Entry = string | boolean | readonly string[];

/** How the controls of a name were rendered: together, since they answer one question. */
export function renderedOf(form: HTMLFormElement, name: string): unknown {
  return controlsOf(form, name).map((each) => {
    const { type, defaultValue, defaultChecked } = each as Partial<HTMLInputElement>;
    const options = isSelect(each) ? [...each.options] : [];
    return [
      type,
      defaultValue,
      defaultChecked,
      options.map((one) => [one.value, one.defaultSelected]),
    ];
  });
}

/** An element of the page's own may have `options`, too. */
function isSelect(control: Control): control is HTMLSelectElement {
  return control.localName === "select";
}

/** Whether what stands in a control may be kept in the browser. */
export function isKeepable(form: HTMLFormElement, control: Control): boolean {
  const fill = control.getAttribute("autocomplete") ?? member(form, "getAttribute")("autocomplete");
  // What an element of the page's own was rendered with can be known by this only.
  const isKnown = "defaultValue" in control || isSelect(control);
  return isKnown && !PRIVATE.test(`${control.type} ${nameOf(control)} ${fill}`);
}

/** What stands in a control now. */
export function entryOf(control: Control): Entry {
  if (isSelect(control)) return [...control.selectedOptions].map((each) => each.value);
  return /box|radio/.test(control.type) ? (control as HTMLInputElement).checked : control.value;
}

/**
 * Puts back what stood in a control, and tells its listeners by the events that come
 * with typing it again.
 */
export function put(control: Control, entry: Entry): void {
  const tell = (type: string) => control.dispatchEvent(new Event(type, { bubbles: true }));
  if (typeof entry === "boolean") {
    // Each framework has its own idea of which event tells of a box; a click is all of them.
    if ((control as HTMLInputElement).checked !== entry) control.click();
  } else if (isSelect(control)) {
    for (const option of control.options) option.selected = entry.includes(option.value);
    tell("input");
    tell("change");
  } else {
    // As its class does it: React 19 takes note of what scripts write to the property.
    Reflect.set(Object.getPrototypeOf(control), "value", entry, control);
    tell("input");
  }
}
