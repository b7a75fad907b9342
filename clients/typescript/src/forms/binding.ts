/**
 * One form: when to ask, and what to do with an answer.
 *
 * Knows events, values and what was asked last. Must not know where an error is
 * shown, what a draft is kept in, nor how a question travels.
 *
 * One function around small ones that share its variables, rather than a class:
 * a minifier shortens their names, and every page loads this.
 */
import { restoreDraft, saveDraft } from "./drafts.ts";
import { showError } from "./errors.ts";
import { controlsOf, valuesOf } from "./values.ts";
import type { JsonValue } from "../messages/types.ts";
import type { Values } from "./values.ts";
import type { BoundForm, Control, FormAnswer, FormOptions, FormState } from "./types.ts";

/** Milliseconds in which another submission is the second half of a double click. */
const DOUBLE = 500;

const bound = new WeakMap<HTMLFormElement, BoundForm>();

/**
 * Has a form checked by the server: each field as the user types, the whole form
 * before it is submitted. A form that is bound already stays as it is bound.
 *
 * - A field is asked about 300 ms after a key and at once when the user leaves it,
 *   with the values of the others. Only fields that the user has been in show
 *   errors. Fields named in `data-affects="phone other"` are asked about again.
 * - Submission waits until the form was found valid, then goes on as it was:
 *   natively, through `hx-post` or to the page's own listener. Buttons with
 *   `formnovalidate` submit at once. The browser's own checks come first; the
 *   attribute `novalidate` of the form leaves them out.
 * - `data-rhtmx-state` of the form says where it stands: {@link FormState}. The words
 *   for `waiting` are those of `data-rhtmx-waiting`.
 * - Each answer is an event `rhtmx:validation` that bubbles: {@link ValidationDetail}.
 * - What was typed survives a reload of the tab, until it is sent or reset. Several
 *   forms of one name on a page need an `id` each for that.
 *
 * @example
 * const bound = bindForm(document.querySelector("#contact"), { client, name: "contact" });
 */
export function bindForm(form: HTMLFormElement, options: FormOptions): BoundForm {
  const existing = bound.get(form);
  if (existing) return existing;
  const { client, debounce = 300, drafts = true, text } = options;
  const name = options.name ?? form.dataset["rhtmxForm"] ?? "";
  /** Unlike that of any other form of this name, in any tab that shares the connection. */
  const formInstance = `${Math.random()}`;
  // By attribute: a control named "id" hides the property.
  const draft = `rhtmx:${location.pathname}:${name}:${form.getAttribute("id")}`;
  /**
   * The fields that the user has been in or that were asked about, with the values
   * that went with the last question; the others show no errors.
   */
  const touched = new Map<string, Values>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** What the question about the whole form is about that is under way. */
  let asked: Values | undefined;
  let run: Promise<boolean> | undefined;
  /** The question that a submission waits for. */
  let submission: Promise<boolean> | undefined;
  /** When a submission went on, by the page's clock; for ever while it does. */
  let passed = -DOUBLE;
  let isBound = true;

  const say = (state: FormState, words = "") => {
    form.dataset["rhtmxState"] = state;
    showError(form, "", words);
  };

  const wait = () => {
    if (!asked) return;
    if (client.state === "open") say("checking");
    else say("waiting", form.dataset["rhtmxWaiting"] ?? "Waiting for the connection…");
  };

  const valueOf = (field: string) => valuesOf(form)[field];

  const show = (field: string, error = "") => {
    showError(form, field, error && text ? text(error, field) : error);
    for (const control of controlsOf(form, field)) {
      control.ariaInvalid = error ? "true" : touched.has(field) && valueOf(field) ? "false" : null;
    }
  };

  const tell = (field: string, valid: boolean, error = "", metadata: JsonValue = null) => {
    const detail = { form: name, field, valid, error, metadata };
    form.dispatchEvent(new CustomEvent("rhtmx:validation", { bubbles: true, detail }));
  };

  /** Takes note of a field, as one that has to be asked about. */
  const touch = (field: string) => {
    clearTimeout(timers.get(field));
    // No value of a control is a number.
    touched.set(field, { [field]: 0 as unknown as string });
  };

  const check = async (field: string): Promise<boolean | undefined> => {
    const values = valuesOf(form);
    const value = values[field];
    touch(field);
    touched.set(field, values);
    try {
      const answer = await client.validateField(name, field, value ?? "", { values, formInstance });
      if (touched.get(field) !== values) return undefined;
      if (valueOf(field) === value) {
        show(field, answer.error);
        tell(field, answer.valid, answer.error, answer.metadata);
        return answer.valid;
      }
    } catch (error) {
      if (touched.get(field) !== values) return undefined;
      console.error(error);
    }
    touch(field);
    return undefined;
  };

  /** The user pauses or leaves: asks, unless that value was asked about already. */
  const settle = (control: Control) => {
    const last = control.isConnected && touched.get(control.name);
    if (!last || last[control.name] === valueOf(control.name)) return;
    void check(control.name);
    for (const field of (control.dataset["affects"] ?? "").split(" ")) {
      if (touched.has(field)) void check(field);
    }
  };

  const showAll = ({ valid, errors }: FormAnswer) => {
    const left = new Map(errors.map(({ field, error }) => [field, error]));
    let first: Control | undefined;
    const controls = controlsOf(form);
    for (const control of controls) {
      touch(control.name);
      if (left.has(control.name)) first ??= control;
    }
    for (const field of new Set(controls.map((each) => each.name))) {
      const error = left.get(field);
      show(field, error);
      tell(field, !error, error);
      left.delete(field);
    }
    first?.focus();
    const rest = [...left].map((each) => each.join(" ")).join(" ").trim();
    say(valid ? "valid" : "invalid", rest);
    tell("", valid, rest);
  };

  const judge = async (): Promise<boolean> => {
    const values = (asked = valuesOf(form));
    [...touched.keys()].forEach(touch);
    wait();
    const answer = await client
      .validateForm(name, values, { formInstance })
      .catch(({ message }) => ({ valid: false, errors: [{ field: "", error: message }] }));
    if (asked !== values) return false;
    // A script of the page may have changed something, without an event.
    if (JSON.stringify(valuesOf(form)) !== JSON.stringify(values)) return judge();
    asked = run = undefined;
    showAll(answer);
    return answer.valid;
  };

  const validate = () => (run ??= judge());

  /** Takes back the question about the whole form, and a submission that waits for it. */
  const withdraw = () => {
    passed = -DOUBLE;
    asked = run = undefined;
    say("idle");
  };

  const submit = async (event: SubmitEvent) => {
    const button = event.submitter as HTMLButtonElement | null;
    if (passed === Infinity || button?.formNoValidate) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.timeStamp - passed < DOUBLE || submission === validate()) return;
    submission = run;
    if (!(await run)) return;
    forget();
    passed = Infinity;
    // The button may have been taken away meanwhile.
    form.requestSubmit(button?.form === form ? button : null);
    passed = performance.now();
  };

  const save = () => drafts && saveDraft(draft, form, touched.keys());

  /** No field counts as touched: no answer does either, and there is no draft. */
  const forget = () => {
    touched.clear();
    save();
  };

  const reset = () => {
    withdraw();
    forget();
    for (const control of controlsOf(form)) show(control.name);
  };

  const edited = (event: Event) => {
    const control = event.target as Control;
    const field = control.name;
    // While an input method composes, the text is not yet what is meant.
    if (!field || control.type === "file" || (event as InputEvent).isComposing) return;
    showError(form, field);
    if (event.type === "change" && touched.has(field)) settle(control);
    else {
      withdraw();
      touch(field);
      timers.set(field, setTimeout(settle, debounce, control));
    }
    save();
  };

  const listeners = {
    input: edited,
    compositionend: edited,
    change: edited,
    focusout: ({ target, relatedTarget }: FocusEvent) => {
      // Who goes to the button asks about everything; an answer in between may move
      // the button away from under the pointer.
      if ((relatedTarget as Control | null)?.type !== "submit") settle(target as Control);
    },
    reset,
    submit,
  };
  for (const [type, listener] of Object.entries(listeners)) {
    // Submission before the page's own listeners, so that none sees what is not checked yet.
    form.addEventListener(
      type,
      (event) => isBound && (listener as (event: Event) => unknown)(event),
      type === "submit",
    );
  }
  const stopState = client.onState(wait);
  // Without touching what the server may have written into the form's own place.
  form.dataset["rhtmxState"] = "idle";
  if (drafts) restoreDraft(draft, form);

  const binding = {
    check,
    validate,
    stop() {
      withdraw();
      touched.clear();
      isBound = false;
      stopState();
      bound.delete(form);
    },
  };
  bound.set(form, binding);
  return binding;
}
