/**
 * One form: what its events lead to.
 *
 * Knows the parts, and which of them an event concerns. Must not know how they
 * do it.
 *
 * Functions that share variables, here and in the parts, rather than classes: a
 * minifier shortens the names of those.
 */
import { dropDraft, restoreDraft, saveDraft } from "./drafts.ts";
import { markInvalid, showError } from "./errors.ts";
import { fieldsOf } from "./fields.ts";
import { controlsOf, valuesOf } from "./values.ts";
import { wholeOf } from "./whole.ts";
import type { Fields } from "./fields.ts";
import type { JsonValue } from "../messages/types.ts";
import type { BoundForm, Control, FormOptions, FormState } from "./types.ts";
import type { Whole } from "./whole.ts";

/** Unless the form says it in its own words, with `data-rhtmx-waiting`. */
const WAITING = "Waiting for the connection…";

/** See {@link BoundForm}; `onStop` is called when the form is left alone again. */
export function bind(form: HTMLFormElement, options: FormOptions, onStop: () => void): BoundForm {
  const { client, name = form.dataset["rhtmxForm"] ?? "", debounce, drafts = true } = options;
  // By attribute: a control named "id" hides the property.
  const draft = drafts && `rhtmx:${location.pathname}:${name}:${form.getAttribute("id")}`;
  const [fields, whole] = partsOf(form, name, options, () => draft && dropDraft(draft));
  const [touched, touch, check, settle, later, quiet] = fields;
  const [validate, withdraw, submit, wait] = whole;

  const edited = (event: Event) => {
    const control = event.target as Control;
    // While an input method composes, the text is not yet what is meant.
    if (!control.name || control.type === "file" || (event as InputEvent).isComposing) return;
    if (!touched.has(control.name)) touch(control.name);
    showError(form, control.name);
    if (draft) saveDraft(draft, form, touched);
    if (event.type === "change") settle(control);
    else {
      withdraw();
      later(control, debounce ?? 300);
    }
  };
  const reset = () => {
    withdraw();
    quiet();
    touched.clear();
    for (const { name } of controlsOf(form)) {
      showError(form, name, "");
      markInvalid(form, name);
    }
    if (draft) dropDraft(draft);
  };
  const listening = new AbortController();
  const on = (type: string, listener: (event: never) => unknown) =>
    // Submission before the page's own listeners, so that none sees what is not checked yet.
    form.addEventListener(type, listener as (event: Event) => unknown, {
      capture: type === "submit",
      signal: listening.signal,
    });
  for (const type of ["input", "compositionend", "change"]) on(type, edited);
  on("focusout", ({ target }: { target: Control }) => settle(target));
  on("reset", reset);
  on("submit", submit);
  const stopState = client.onState(wait);
  withdraw();
  if (draft) restoreDraft(draft, form);

  const stop = () => {
    withdraw();
    quiet();
    listening.abort();
    stopState();
    onStop();
  };
  return { check, validate, stop };
}

/** The parts of a form, and how they ask, show and tell. */
function partsOf(
  form: HTMLFormElement,
  name: string,
  { client, text = (error) => error }: FormOptions,
  sent: () => void,
): [Fields, Whole] {
  /** Unlike that of any other form of this name, in any tab that shares the connection. */
  const formInstance = `${Math.random()}`;
  const show = (field: string, error = "") => {
    showError(form, field, error && text(error, field));
    markInvalid(form, field, error ? true : valuesOf(form)[field] ? false : undefined);
  };
  const say = (state: FormState, words = state === "waiting" ? WAITING : "") => {
    form.dataset["rhtmxState"] = state;
    showError(form, "", words);
  };
  const tell = (field: string, valid: boolean, error = "", metadata: JsonValue = null) => {
    const detail = { form: name, field, valid, error, metadata };
    form.dispatchEvent(new CustomEvent("rhtmx:validation", { bubbles: true, detail }));
  };
  const fields = fieldsOf(
    form,
    (field, values) =>
      client.validateField(name, field, values[field] ?? "", { values, formInstance }),
    (field, { valid, error, metadata }) => {
      show(field, error);
      tell(field, valid, error, metadata);
    },
  );
  const [, touch, , , , quiet] = fields;
  const whole = wholeOf(
    form,
    (values) => {
      quiet();
      return client.validateForm(name, values, { formInstance });
    },
    () => client.state === "open",
    say,
    ({ valid, errors }) => {
      const left = new Map(errors.map(({ field, error }) => [field, error]));
      let first: Control | undefined;
      for (const control of controlsOf(form)) {
        const error = left.get(control.name);
        touch(control.name);
        show(control.name, error);
        if (error && control.type !== "hidden") first ??= control;
      }
      for (const { name } of controlsOf(form)) left.delete(name);
      first?.focus();
      const rest = [...left].map((each) => each.filter(Boolean).join(": ")).join(" ");
      say(valid ? "valid" : "invalid", rest);
      tell("", valid, rest);
    },
    sent,
  );
  return [fields, whole];
}
