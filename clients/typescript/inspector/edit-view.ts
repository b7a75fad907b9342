/**
 * The dialog in which one record is changed: a control for each field that may be written.
 *
 * Knows its elements. Must not know how a record is written, nor who judges it.
 */

import type { FieldFacts, MessageFacts } from "./describe.ts";
import { element, find, setText } from "./dom.ts";
import { changesOf, entryText, type Held, type Wrong } from "./records.ts";

/** Writes some values of a record. Returns what is wrong with them, where that is the reason. */
export type Write = (values: Readonly<Record<string, unknown>>) => Promise<readonly Wrong[]>;

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** Asks for other values of a record, until they are taken or the user gives up. */
export function askForChanges(entity: MessageFacts, record: Held, write: Write): void {
  const dialog = find(document, "#edit", HTMLDialogElement);
  const form = find(dialog, "form", HTMLFormElement);
  const fields = entity.fields.filter(({ isEditable }) => isEditable);
  const controls = new Map(fields.map((field) => [field.key, controlOf(field, record)]));
  setText(find(dialog, "h2", HTMLElement), `${entity.title} ${record.id}`);
  const inputs = find(form, ".inputs", HTMLElement);
  inputs.replaceChildren(...fields.map((field) => placeOf(field, controls.get(field.key)!)));
  const save = async () => {
    const texts = new Map([...controls].map(([key, { value }]) => [key, value]));
    const { values, wrong } = changesOf(fields, record.data, texts);
    showWrong(form, fields, controls, wrong);
    if (wrong.length) return;
    if (!Object.keys(values).length) return dialog.close();
    say(form, "Being saved…");
    const refused = await write(values);
    showWrong(form, fields, controls, refused);
    if (!refused.length) dialog.close();
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    void save();
  };
  find(form, ".cancel", HTMLButtonElement).onclick = () => dialog.close();
  showWrong(form, fields, controls, []);
  dialog.showModal();
}

function controlOf(field: FieldFacts, record: Held): Control {
  const text = entryText(field, record.data);
  const choices = field.entry === "yes or no" ? ["true", "false"] : field.choices;
  const control = document.createElement(choices.length ? "select" : "textarea");
  if (control instanceof HTMLSelectElement) {
    const all = [...new Set(["", ...choices, text])];
    control.append(...all.map((each) => new Option(each || "nothing", each)));
  } else control.rows = field.entry === "json" || text.includes("\n") ? 3 : 1;
  control.value = text;
  control.id = `edit-${field.key}`;
  control.setAttribute("aria-describedby", `edit-${field.key}-hint edit-${field.key}-error`);
  return control;
}

function placeOf(field: FieldFacts, control: Control): HTMLElement {
  const label = element("label", "", field.label);
  label.setAttribute("for", control.id);
  const hint = element("p", "small", [field.type, ...field.rules].join(" · "));
  hint.id = `${control.id}-hint`;
  const error = element("p", "error");
  error.id = `${control.id}-error`;
  const place = element("div", "field", label);
  place.append(control, hint, error);
  return place;
}

/** Shows what is wrong at its fields, all else below them, and goes to the first. */
function showWrong(
  form: HTMLFormElement,
  fields: readonly FieldFacts[],
  controls: ReadonlyMap<string, Control>,
  wrong: readonly Wrong[],
): void {
  const left = new Set(wrong);
  for (const { key, name, label } of fields) {
    const own = wrong.filter(({ field }) => [key, name].includes(/^[^.[]*/.exec(field)![0]));
    for (const each of own) left.delete(each);
    const control = controls.get(key)!;
    const error = find(control.parentElement!, ".error", HTMLElement);
    setText(error, own.map(({ message }) => `${label} ${message}.`).join(" "));
    control.setAttribute("aria-invalid", String(own.length > 0));
    if (own.length && !form.querySelector("[aria-invalid=true]:focus")) control.focus();
  }
  say(form, [...left].map(({ message }) => `The record ${message}.`).join(" "));
}

function say(form: HTMLFormElement, words: string): void {
  setText(find(form, "form > .error", HTMLElement), words);
}
