/**
 * Submissions of one form: each waits until the form was found valid, and goes on once.
 *
 * Knows events, and what of them posts a form: a submission, or a click on a button
 * that htmx posts the form by. Must not know what makes a form valid, nor where
 * anything is shown.
 *
 * | an attempt while | what becomes of it |
 * |---|---|
 * | nothing is under way | is held, and goes on if the form is valid |
 * | the same button's is held | nothing: it is the same one |
 * | another button's is held | takes its place |
 * | the last one went on a moment ago | nothing: the second half of a double click |
 * | the last one is being sent | is refused, in words |
 *
 * Whoever edits the form afterwards may send it again at any time.
 */

import type { Draft } from "./draft.ts";
import { rootOf } from "./error-display.ts";
import { postedBy, REQUESTS, requestOf, tellButton } from "./htmx-requests.ts";
import { member } from "./member.ts";
import type { Control } from "./types.ts";
import { submitterOf } from "./values.ts";

/** Milliseconds in which another attempt is the second half of a double click. */
const DOUBLE = 500;

/**
 * Milliseconds for which a page that is loading keeps its form from being sent
 * again. Nothing tells of one that never comes, as when the answer is a download.
 */
const LOADING = 10_000;

/** What a form's submissions need of it. */
export interface Holder {
  readonly form: HTMLFormElement;
  readonly draft: Draft | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Asks about the form as it would be sent by a button. The same promise while it is the same question. */
  validate(button: Control | null): Promise<boolean>;
  /** What was found valid goes on: what follows of it in the records is no news to its user. */
  sent(): void;
  /** Says that it is being sent, or that it is not any more. */
  sending(isSending: boolean): void;
}

/** The submissions of one form. */
export class Submissions {
  readonly #holder: Holder;
  /** What was let go last, until the user edits the form. */
  #gone: Event | undefined;
  /** The same, for the answer to it. */
  #latest: Event | undefined;
  #isLetting = false;
  #isPosting = false;
  #isRefused = false;
  /** The question that an attempt waits for. */
  #held: Promise<boolean> | undefined;

  constructor(holder: Holder) {
    const { form } = (this.#holder = holder);
    // Before the page's own listeners, so that none sees what is not checked yet.
    this.#listen(form, ["submit"], (event) => this.#submitted(event as SubmitEvent), true);
    this.#listen(rootOf(form), ["click"], (event) => this.#clicked(event), true);
    // At the form, too: htmx 2 tells it to one that its own answer has replaced.
    for (const each of [form, document]) this.#listen(each, REQUESTS, this.#follow);
  }

  /** Forgets those that went on: the user has edited the form. */
  forget(): void {
    this.#gone = this.#held = undefined;
    this.#isRefused = false;
  }

  #submitted(event: SubmitEvent): void {
    const { form } = this.#holder;
    const button = event.submitter as Control | null;
    // Closes its dialog, and sends nothing.
    if ((event.submitter as HTMLButtonElement | null)?.formMethod === "dialog") return;
    void this.#hold(event, button, () => {
      const own = submitterOf(form, button);
      tellButton(own);
      member(form, "requestSubmit")(own);
    });
  }

  #clicked(event: Event): void {
    const button = postedBy(this.#holder.form, event);
    if (button) void this.#hold(event, button, () => button.click());
  }

  async #hold(event: Event, button: Control | null, again: () => void): Promise<void> {
    const { form, validate, sending } = this.#holder;
    if (this.#isLetting || button?.hasAttribute("formnovalidate")) return this.#letGo(event);
    event.preventDefault();
    event.stopImmediatePropagation();
    const at = event.timeStamp;
    if (this.#gone && at - this.#gone.timeStamp < DOUBLE) return;
    if (this.#isSending(at)) return sending((this.#isRefused = true));
    // A click is not checked by the browser, as a submission is before it is one.
    if (event.type === "click" && !member(form, "noValidate") && !member(form, "reportValidity")())
      return;
    const question = validate(button);
    if (question === this.#held) return;
    this.#held = question;
    if (!(await question)) return;
    // Judged in the page, before the event has ended: a browser takes no submission of a form
    // while it tells of one.
    if (event.eventPhase) await new Promise((go) => setTimeout(go));
    if (this.#held !== question) return;
    this.#isLetting = true;
    this.#holder.sent();
    if (button) this.#listen(button, REQUESTS, this.#follow);
    again();
    this.#isLetting = false;
  }

  #letGo(event: Event): void {
    const { form, draft } = this.#holder;
    this.#gone = this.#latest = event;
    draft?.send(() => leaves(form, event));
  }

  #isSending(at: number): boolean {
    const gone = this.#gone;
    if (!gone || this.#isPosting) return !!gone;
    return leaves(this.#holder.form, gone) && at - gone.timeStamp < LOADING;
  }

  /** Of two places that hear of one request, the second learns nothing new. */
  readonly #follow = (event: Event): void => {
    const { draft, sending } = this.#holder;
    const { cause, isOver, status } = requestOf(event);
    if (!cause || cause !== this.#latest) return;
    this.#isPosting = !isOver;
    if (this.#isPosting) return;
    draft?.settle(status >= 200 && status < 400);
    if (this.#isRefused) sending((this.#isRefused = false));
  };

  #listen(
    target: EventTarget,
    types: string[],
    listener: (event: Event) => void,
    capture = false,
  ): void {
    const { signal } = this.#holder;
    const add = member(target, "addEventListener");
    for (const type of types) add(type, listener, { capture, signal });
  }
}

/** Whether a submission loads another page in the place of this one. */
function leaves(form: HTMLFormElement, event: Event | undefined): boolean {
  if (event?.type !== "submit" || event.defaultPrevented) return false;
  const { submitter } = event as SubmitEvent;
  const said = (name: string) =>
    submitter?.getAttribute(`form${name}`) ?? member(form, "getAttribute")(name) ?? "";
  return (
    said("method").toLowerCase() !== "dialog" && /^(_self|_top|_parent)?$/i.test(said("target"))
  );
}
