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
import { rootOf } from "./errors.ts";
import { member } from "./member.ts";
import { postedBy, REQUESTS, requestOf, tellButton } from "./posts.ts";
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
  /** Says that it is being sent, or that it is not any more. */
  sending(isSending: boolean): void;
}

/** Holds the submissions of a form. Returns what forgets those that went on. */
export function holdSubmissions({ form, draft, signal, validate, sending }: Holder): () => void {
  /** What was let go last, until the user edits the form. */
  let gone: Event | undefined;
  /** The same, for the answer to it. */
  let latest: Event | undefined;
  let isLetting = false;
  let isPosting = false;
  let isRefused = false;
  /** The question that an attempt waits for. */
  let held: Promise<boolean> | undefined;

  const letGo = (event: Event) => {
    gone = latest = event;
    draft?.send(() => leaves(form, event));
  };

  const isSending = (at: number) =>
    isPosting || (leaves(form, gone) && at - gone!.timeStamp < LOADING);

  const hold = async (event: Event, button: Control | null, again: () => void) => {
    if (isLetting || button?.hasAttribute("formnovalidate")) return letGo(event);
    event.preventDefault();
    event.stopImmediatePropagation();
    const at = event.timeStamp;
    if (gone && at - gone.timeStamp < DOUBLE) return;
    if (gone && isSending(at)) return sending((isRefused = true));
    // A click is not checked by the browser, as a submission is before it is one.
    if (event.type === "click" && !member(form, "noValidate") && !member(form, "reportValidity")())
      return;
    const question = validate(button);
    if (question === held) return;
    held = question;
    if (!(await question)) return;
    isLetting = true;
    if (button) listen(button, REQUESTS, follow);
    again();
    isLetting = false;
  };

  /** Of two places that hear of one request, the second learns nothing new. */
  const follow = (event: Event) => {
    const { cause, isOver, status } = requestOf(event);
    if (!cause || cause !== latest) return;
    isPosting = !isOver;
    if (isPosting) return;
    draft?.settle(status >= 200 && status < 400);
    if (isRefused) sending((isRefused = false));
  };

  const listen = (
    target: EventTarget,
    types: string[],
    listener: (event: never) => unknown,
    capture = false,
  ) => {
    const add = member(target, "addEventListener");
    for (const type of types) add(type, listener as EventListener, { capture, signal });
  };
  // Before the page's own listeners, so that none sees what is not checked yet.
  listen(
    form,
    ["submit"],
    (event: SubmitEvent) => {
      const button = event.submitter as Control | null;
      // Closes its dialog, and sends nothing.
      if ((event.submitter as HTMLButtonElement | null)?.formMethod === "dialog") return;
      return hold(event, button, () => {
        const own = submitterOf(form, button);
        tellButton(own);
        member(form, "requestSubmit")(own);
      });
    },
    true,
  );
  listen(
    rootOf(form),
    ["click"],
    (event: Event) => {
      const button = postedBy(form, event);
      return button && hold(event, button, () => button.click());
    },
    true,
  );
  // At the form, too: htmx 2 tells it to one that its own answer has replaced.
  for (const each of [form, document]) listen(each, REQUESTS, follow);

  return () => {
    gone = held = undefined;
    isRefused = false;
  };
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
