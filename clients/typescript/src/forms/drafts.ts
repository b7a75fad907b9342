/**
 * What was typed and not sent yet survives a reload.
 *
 * Knows controls and the storage of the tab. Must not know when to save.
 *
 * In `sessionStorage`: what someone typed is gone with the tab, which matters
 * where several people use one computer, and two tabs do not share one draft.
 * Never kept: what is hidden, a file, a password (also one that the page shows
 * for a moment), a card, a code that is used once, and whatever the page asks
 * the browser not to remember (`autocomplete="off"`, of the control or the form).
 */
import { controlsOf } from "./values.ts";
import type { Control } from "./types.ts";

const PRIVATE = /^(file|hidden) |passw|pwd|card|cvc|cvv|\boff\b|\bcc-|one-time/i;

/** Saves some fields of a form under a key, and nothing else. */
export function saveDraft(key: string, form: HTMLFormElement, fields: Iterable<string>): void {
  attempt(() => {
    const data = new FormData(form);
    const kept = [...fields].filter((name) => keepable(form, name)[0]);
    sessionStorage[key] = JSON.stringify(kept.map((name) => [name, data.getAll(name)]));
  });
}

/**
 * Puts back what was saved, and tells each control's listeners by an `input` event,
 * as if the user had typed it again.
 */
export function restoreDraft(key: string, form: HTMLFormElement): void {
  attempt(() => {
    for (const [name, values] of JSON.parse(sessionStorage[key]) as [string, string[]][]) {
      for (const control of keepable(form, name)) {
        put(control, values);
        control.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
  });
}

/** A storage that is empty, full, forbidden or full of rubbish costs the draft, not the form. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // Nothing is kept, then.
  }
}

function keepable(form: HTMLFormElement, name: string): Control[] {
  return controlsOf(form, name).filter((each) => {
    const fill = each.getAttribute("autocomplete") ?? form.getAttribute("autocomplete");
    return !PRIVATE.test(`${each.type} ${fill} ${name}`);
  });
}

function put(control: Control, values: string[]): void {
  if ("options" in control) {
    for (const option of control.options) option.selected = values.includes(option.value);
  } else if (/box|radio/.test(control.type)) {
    (control as HTMLInputElement).checked = values.includes(control.value);
  } else control.value = values.shift() ?? "";
}
