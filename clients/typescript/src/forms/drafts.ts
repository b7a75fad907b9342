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
export function saveDraft(
  key: string,
  form: HTMLFormElement,
  fields: ReadonlyMap<string, unknown>,
): void {
  const data = new FormData(form);
  const kept = keepable(form).filter(({ name }) => fields.has(name));
  const draft = kept.map(({ name }) => [name, data.getAll(name)]);
  attempt(() => sessionStorage.setItem(key, JSON.stringify(draft)));
}

/**
 * Puts back what was saved, and tells each control's listeners by an `input` event,
 * as if the user had typed it again.
 */
export function restoreDraft(key: string, form: HTMLFormElement): void {
  attempt(() => {
    const draft = new Map<string, string[]>(JSON.parse(sessionStorage.getItem(key) ?? "[]"));
    for (const control of keepable(form)) {
      const values = draft.get(control.name);
      if (!values) continue;
      put(control, values);
      control.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
}

/** A storage that is full, forbidden or full of rubbish costs the draft, not the form. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // Nothing is kept, then.
  }
}

function keepable(form: HTMLFormElement): Control[] {
  return controlsOf(form).filter((each) => {
    const fill = each.getAttribute("autocomplete") ?? form.getAttribute("autocomplete");
    return !PRIVATE.test(`${each.type} ${fill} ${each.name}`);
  });
}

function put(control: Control, values: string[]): void {
  if ("options" in control) {
    for (const option of control.options) option.selected = values.includes(option.value);
  } else if (/box|radio/.test(control.type)) {
    (control as HTMLInputElement).checked = values.includes(control.value);
  } else control.value = values.shift() ?? "";
}
