/**
 * One form: when to ask, and what to do with an answer.
 *
 * Knows events, values and what was asked last. Must not know where an error is
 * shown, what a draft is kept in, how a submission goes on, nor how a question
 * travels.
 *
 * | event           | `idle`                | `checking` | `waiting`  | `invalid`             | `valid`               |
 * | --------------- | --------------------- | ---------- | ---------- | --------------------- | --------------------- |
 * | `validate`      | `checking`, `waiting` | =          | =          | `checking`, `waiting` | `checking`, `waiting` |
 * | `found valid`   | -                     | `valid`    | -          | -                     | -                     |
 * | `found invalid` | -                     | `invalid`  | -          | -                     | -                     |
 * | `connected`     | =                     | =          | `checking` | =                     | =                     |
 * | `disconnected`  | =                     | `waiting`  | =          | =                     | =                     |
 * | `edited`        | =                     | `idle`     | `idle`     | `idle`                | `idle`                |
 * | `reset`         | =                     | `idle`     | `idle`     | `idle`                | `idle`                |
 * | `stop`          | =                     | `idle`     | `idle`     | `idle`                | `idle`                |
 *
 * An answer counts only if nothing was edited since its question; see `FormState`.
 *
 * One function around small ones that share its variables, rather than a class:
 * a minifier shortens their names, and every page loads this.
 */

import type { FormValue, FormValues } from "../core/options.ts";
import type { JsonValue } from "../messages/types.ts";
import { hearControls } from "./control-events.ts";
import { draftOf, restore } from "./draft-storage.ts";
import { focusFirst, rootOf, showError, showErrors } from "./error-display.ts";
import { isPosting, triggerOf } from "./htmx-requests.ts";
import { member } from "./member.ts";
import { Submissions } from "./submissions.ts";
import type {
  BoundForm,
  Control,
  FieldAnswer,
  FieldNews,
  FormAnswer,
  FormOptions,
  FormRejection,
  FormState,
} from "./types.ts";
import {
  badIn,
  controlsOf,
  isLive,
  isPosted,
  isSame,
  nameOf,
  putReceipt,
  valuesOf,
} from "./values.ts";

/** How often a form whose values never stay the same is asked about again. */
const AGAIN = 3;

/** Controls that have a new value with one act, and are not left by it. */
const CHOSEN = /select|box|radio|file/;

/** Where a form keeps what it is bound as, for every script of the page that has this module. */
const BOUND: unique symbol = Symbol.for("rhtmx.bound") as never;

type Bindable = HTMLFormElement & { [BOUND]?: BoundForm };

/**
 * Has a form checked by the server: each field as the user types, the whole form
 * before it is submitted. A form that is bound already stays as it is bound, also by another
 * script: of two that hold it none would let it go.
 *
 * - A field is asked about 300 ms after a key and at once when the user leaves it,
 *   with the values of the others. Only fields that the user has been in show
 *   errors, and an error goes with its field. Fields named in
 *   `data-affects="phone other"` are asked about again.
 * - What the server says of a field stays true while the form is open: where records change by
 *   which it is judged, the server says so, and the field shows it. The focus stays where it is.
 *   So does what it said of all of it, until something is edited. Nothing more is said of a form
 *   that is sent: its user would be told what they have just written.
 * - What stands in a field and is no value, as `1-2` in one for numbers, is an error
 *   in the browser's words, and nothing is asked.
 * - Submission waits until the form was found valid, as the browser would send it by
 *   that button, and then goes on as it was: natively, through `hx-post` of the form
 *   or of a button, or to the page's own listener. While it is being sent another one
 *   is refused. What is posted (`method="post"`, or by htmx) has the server's receipt in a hidden
 *   control, `_rhtmx_receipt`. Buttons with `formnovalidate` submit at once. The browser's own checks
 *   come first; the attribute `novalidate` of the form leaves them out.
 * - `data-rhtmx-state` of the form says where it stands: {@link FormState}. The words
 *   for `waiting` are those of `data-rhtmx-waiting`, and those for an attempt while it
 *   is being sent those of `data-rhtmx-sending`.
 * - Each answer is an event `rhtmx:validation` that bubbles: {@link ValidationDetail}.
 * - What the user typed survives a reload of the tab, until it has arrived or the form
 *   is reset: a page whose script sends it has to reset it. Several forms that are
 *   alike in a page need an `id` each for that.
 *
 * @example
 * const element = document.querySelector<HTMLFormElement>("#contact")!;
 * const bound = bindForm(element, { client, name: "contact" });
 * await bound.check("email");
 */
export function bindForm(form: HTMLFormElement, options: FormOptions): BoundForm {
  const existing = (form as Bindable)[BOUND];
  if (existing) return existing;
  const { client, debounce = 300, drafts = true, text } = options;
  const data = member(form, "dataset");
  const name = options.name ?? data.rhtmxForm ?? "";
  /** Unlike that of any other form of this name, in any tab that shares the connection. */
  const formInstance = `${Math.random()}`;
  const draft = drafts ? draftOf(form, name, client) : undefined;
  const ending = new AbortController();
  const { signal } = ending;
  /**
   * The fields that the user has been in or that were asked about, with the values
   * that went with the last question; the others show no errors.
   */
  const touched = new Map<string, FormValues>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** The fields of which an answer is shown, with the values that it is about. */
  const judged = new Map<string, unknown>();
  /** The server says so when an answer is another one; it forgets that with the connection. */
  let isWatched = false;
  let isLost = false;
  /** What the question about the whole form is about that is under way, and by which button. */
  let asked: FormValues | undefined;
  let askedBy: Control | null = null;
  let run: Promise<boolean> | undefined;
  /** What the last answer about all of it was about, until something is edited. */
  let whole: FormValues | undefined;
  /** Where the form was when that was asked. */
  let dialog: Element | null = null;

  const say = (state: FormState, words = "") => {
    data.rhtmxState = state;
    showError(form, "", words);
  };

  const wait = () => {
    const isOpen = client.state === "open";
    if (isOpen && isLost) void renew();
    isLost = isWatched && !isOpen;
    if (!asked) return;
    if (client.state === "open") say("checking");
    else say("waiting", data.rhtmxWaiting ?? "Waiting for the connection…");
  };

  const show = (field: string, error = "", value?: FormValue | readonly FormValue[]) =>
    errors.show(field, error, touched.has(field) && [value].flat().some(Boolean));

  const inWords = (error: string | undefined, field: string) =>
    error && text ? text(error, field) : error;

  const tell = (field: string, valid: boolean, error = "", metadata: JsonValue = null) => {
    const detail = { form: name, field, valid, error, metadata };
    const event = new CustomEvent("rhtmx:validation", { bubbles: true, detail });
    member(form, "dispatchEvent")(event);
  };

  const errors = showErrors(form, (field, isLeft) => {
    if (isLeft) return void check(field);
    touched.delete(field);
    tell(field, true);
  });

  /** Takes note of a field, as one that has to be asked about. */
  const touch = (field: string) => {
    clearTimeout(timers.get(field));
    // No value of a control is a number.
    touched.set(field, { [field]: 0 as unknown as string });
  };

  /** What is no value is an error without being asked about. Returns whether there is any. */
  const isBad = (field: string): boolean => {
    const [bad] = badIn(form, field);
    if (!bad) return false;
    show(field, bad.validationMessage);
    tell(field, false, bad.validationMessage);
    return true;
  };

  const watch = ({ live }: FieldAnswer | FormAnswer) => {
    if (!live) return;
    // Asked before the form was left alone: the server does not know.
    if (signal.aborted) client.closeForm?.(name, formInstance);
    else isWatched = true;
  };

  const showOne = (
    field: string,
    answer: FieldAnswer,
    value?: FormValue | readonly FormValue[],
  ) => {
    judged.set(field, value);
    show(field, inWords(answer.error, field), value);
    tell(field, answer.valid, answer.error, answer.metadata);
    return answer.valid;
  };

  /** Of what is shown the server says something else now, unasked: nothing else is touched. */
  const heard = (news: FieldNews) => {
    const { field, form_instance, valid, error } = news;
    // What a question is under way about will be answered by what holds now.
    if (form_instance !== formInstance || asked || !isWatched) return;
    const value = valuesOf(form)[field];
    if (judged.has(field) && isSame(judged.get(field), value)) showOne(field, news, value);
    if (field || !isSame(whole, valuesOf(form, askedBy))) return;
    say(error ? "invalid" : (data.rhtmxState as FormState), error);
    tell("", valid, error);
  };

  const check = async (field: string): Promise<boolean | undefined> => {
    touch(field);
    judged.delete(field);
    if (isBad(field)) return false;
    const values = valuesOf(form);
    const value = values[field];
    touched.set(field, values);
    const options = { values, formInstance, live: true };
    try {
      const answer = await client.validateField(name, field, value ?? "", options);
      watch(answer);
      if (touched.get(field) !== values) return undefined;
      const now = valuesOf(form)[field];
      const isThere = now !== undefined || controlsOf(form, field).some(isLive);
      if (isThere && isSame(now, value)) {
        return showOne(field, answer, value);
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
    const field = nameOf(control);
    const last = controlsOf(form, field).includes(control) && touched.get(field);
    if (!last || isSame(last[field], valuesOf(form)[field])) return;
    void check(field);
    for (const other of (control.dataset.affects ?? "").split(" ")) {
      if (touched.has(other)) void check(other);
    }
  };

  const showAll = ({ valid, errors }: FormAnswer, values: FormValues, isUnasked?: boolean) => {
    // Of several that are about one field the first counts.
    const left = new Map<string, string>();
    for (const { field, error } of errors) if (!left.has(field)) left.set(field, error);
    const controls = controlsOf(form).filter(isLive);
    const wrong = controls.filter((each) => left.has(nameOf(each)));
    for (const field of new Set(controls.map(nameOf))) {
      const error = left.get(field);
      touch(field);
      judged.set(field, values[field]);
      show(field, inWords(error, field), values[field]);
      tell(field, !error, error);
      left.delete(field);
    }
    if (!isUnasked) focusFirst(form, wrong);
    const rest = [...left]
      .map((each) => each.join(" "))
      .join(" ")
      .trim();
    say(valid ? "valid" : "invalid", rest);
    tell("", valid, rest);
  };

  /**
   * The server has forgotten the form with the connection. Asks again: about all of it if nothing
   * was edited since that was asked last, as its checks are judged again only then.
   */
  const renew = async () => {
    if (asked) return; // and answered by this connection
    const values = whole;
    const isWhole = () => !asked && whole === values && isSame(values, valuesOf(form, askedBy));
    if (values && isWhole()) {
      const options = { formInstance, live: true };
      const answer = await client.validateForm(name, values, options).catch(console.error);
      if (answer && isWhole()) showAll(answer, values, true);
      if (answer) return;
    } // it may be one of its fields that cannot be judged
    for (const field of judged.keys()) void check(field);
  };

  const judge = async (again = AGAIN): Promise<boolean> => {
    const values = (asked = valuesOf(form, askedBy));
    [...touched.keys()].forEach(touch);
    wait();
    const answer = await client
      .validateForm(name, values, { formInstance, receipt: isPosted(form, askedBy), live: true })
      .catch(
        ({ message }): FormAnswer => ({ valid: false, errors: [{ field: "", error: message }] }),
      );
    if (asked !== values) return false;
    // A script of the page may have changed something, without an event. One that
    // does with every look (a time, in a listener to `formdata`) is not waited for.
    if (again && !isSame(valuesOf(form, askedBy), values)) return judge(again - 1);
    asked = run = undefined;
    watch(answer);
    if (answer.receipt) putReceipt(form, answer.receipt);
    whole = values;
    showAll(answer, values);
    return answer.valid;
  };

  const reject = ({ violations = [], message }: FormRejection) => {
    withdraw();
    const errors = violations.map((each) => ({ field: each.field, error: each.message }));
    const whole = { field: "", error: `${message}` };
    showAll({ valid: false, errors: errors.length ? errors : [whole] }, valuesOf(form));
  };

  const validate = (button: Control | null = null): Promise<boolean> => {
    if (run && askedBy === button) return run;
    const bad = badIn(form);
    if (bad.length === 0) {
      askedBy = button;
      dialog = member(form, "closest")("dialog[open]");
      return (run = judge());
    }
    for (const field of new Set(bad.map(nameOf))) void check(field);
    focusFirst(form, bad);
    say("invalid");
    tell("", false);
    return Promise.resolve(false);
  };

  /** Takes back the question about the whole form, and a submission that waits for it. */
  const withdraw = () => {
    submissions.forget();
    asked = run = whole = undefined;
    say("idle");
  };

  /** No field counts as touched: no answer does either, and there is no draft. */
  const reset = (event: Event) => {
    if (event.defaultPrevented) return;
    withdraw();
    touched.clear();
    judged.clear();
    draft?.forget();
    close();
    for (const field of new Set(controlsOf(form).map(nameOf))) show(field);
  };

  const edited = (event: Event) => {
    const control = event.target as Control;
    const field = nameOf(control);
    // While an input method composes, the text is not yet what is meant.
    if (!field || (event as InputEvent).isComposing) return;
    // What a script puts there, it puts there again.
    if (event.isTrusted) draft?.note(control);
    showError(form, field);
    judged.delete(field);
    if (event.type === "change" && touched.has(field)) {
      // A text that its user changed is left with it, or asked about in a moment.
      if (!event.isTrusted || CHOSEN.test(control.type)) settle(control);
    } else {
      withdraw();
      touch(field);
      timers.set(field, setTimeout(settle, debounce, control));
    }
  };

  const left = ({ target, relatedTarget }: FocusEvent) => {
    const next = relatedTarget as Control | null;
    // Who goes to the button asks about everything; an answer in between may move
    // the button away from under the pointer.
    if (!next || !(/submit|image/.test(next.type) || isPosting(next))) settle(target as Control);
  };

  const events = { input: edited, compositionend: edited, change: edited, focusout: left };
  // What has no name, as an editor of the page's own, may be submitted by a script.
  hearControls(form, events, withdraw, signal);
  member(form, "addEventListener")("reset", reset, { signal });
  // Who closes a dialog takes back what waits to be sent.
  const closed = ({ target }: Event) => target === dialog && withdraw();
  member(rootOf(form), "addEventListener")("close", closed, { capture: true, signal });
  // Back from the browser's cache: what was on its way has ended.
  addEventListener("pageshow", ({ persisted }) => persisted && withdraw(), { signal });
  const sending = (isSending: boolean) =>
    say("valid", isSending ? (data.rhtmxSending ?? "Is being sent…") : "");
  const sent = () => close();
  const submissions = new Submissions({ form, draft, signal, validate, sent, sending });
  if (isPosting(form) && !/submit|^$/.test(triggerOf(form))) {
    console.warn(
      `form '${name}': what hx-trigger posts is not checked, only a submission is`,
      form,
    );
  }
  const stopState = client.onState(wait);
  const stopNews = client.onValidation?.(heard);
  /** The page goes, or nobody looks at the form any more: nothing more need be said of it. */
  const close = () => {
    if (isWatched) client.closeForm?.(name, formInstance);
    isWatched = isLost = false;
  };
  addEventListener("pagehide", close, { signal });
  // Without touching what the server may have written into the form's own place.
  data.rhtmxState = "idle";
  if (draft) restore(draft);

  const binding = {
    check,
    validate: () => validate(),
    reject,
    stop() {
      withdraw();
      close();
      touched.clear();
      judged.clear();
      ending.abort();
      errors.stop();
      stopState();
      stopNews?.();
      delete (form as Bindable)[BOUND];
    },
  };
  (form as Bindable)[BOUND] = binding;
  return binding;
}
