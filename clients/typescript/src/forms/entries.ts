/**
 * What stands in one control: taken, put back, and whether it may be kept.
 *
 * Knows controls. Must not know when and where it is kept.
 *
 * Never kept: what is hidden, a file, a password (also one that the page shows for a
 * moment), a card, a code that is used once, and whatever the page asks the browser
 * not to remember (`autocomplete="off"`, of the control or the form).
 */
import { member } from "./member.ts";
import { controlsOf, nameOf } from "./values.ts";
import type { Control } from "./types.ts";

const PRIVATE = /^(file|hidden) |passw|pwd|card|cvc|cvv|\boff\b|\bcc-|one-time/i;

/** A text, whether it is ticked, or which options are selected. */
export type Entry = string | boolean | readonly string[];

/** How the controls of a name were rendered: together, since they answer one question. */
export function renderedOf(form: HTMLFormElement, name: string): unknown {
  return controlsOf(form, name).map((each) => {
    const { type, defaultValue, defaultChecked, options = [] } = each as Everything;
    const choices = [...options].map((option) => [option.value, option.defaultSelected]);
    return [type, defaultValue, defaultChecked, choices];
  });
}

type Everything = Partial<HTMLInputElement> & { options?: HTMLOptionsCollection };

/** Whether what stands in a control may be kept in the browser. */
export function isKeepable(form: HTMLFormElement, control: Control): boolean {
  const fill = control.getAttribute("autocomplete") ?? member(form, "getAttribute")("autocomplete");
  // What an element of the page's own was rendered with cannot be known.
  const isNative = "defaultValue" in control || "options" in control;
  return isNative && !PRIVATE.test(`${control.type} ${fill} ${nameOf(control)}`);
}

/** What stands in a control now. */
export function entryOf(control: Control): Entry {
  if ("options" in control) return [...control.selectedOptions].map((each) => each.value);
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
  } else if ("options" in control) {
    for (const option of control.options) option.selected = entry.includes(option.value);
    tell("input");
    tell("change");
  } else {
    // As its class does it: React 19 takes note of what scripts write to the property.
    Reflect.set(Object.getPrototypeOf(control), "value", entry, control);
    tell("input");
  }
}
