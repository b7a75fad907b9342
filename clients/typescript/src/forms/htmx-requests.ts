/**
 * How htmx posts a form: by which buttons, and what became of it.
 *
 * Knows attributes and events of htmx 2.0 and 4.0. Must not know when a form may
 * be posted.
 */
import { member } from "./member.ts";
import type { Control } from "./types.ts";

/** What sends a form's values; `hx-get` and `hx-delete` of a button leave them out. */
const POSTS = /^(data-)?hx-(post|put|patch|method)$/;

/** What a user takes for a button. */
const BUTTONS = "button,input,a,[role=button]";

/**
 * What tells of a request: that it has begun (the last of their kind, which nothing
 * cancels any more), and that it is over, well or not. htmx 2 tells of an error in
 * handling the answer by the fourth, and then not by the third (2.0.11, `xhr.onload`);
 * htmx 4 tells of every end by the last.
 */
export const REQUESTS = [
  "htmx:beforeSend",
  "htmx:before:request",
  "htmx:afterRequest",
  "htmx:onLoadError",
  "htmx:finally:request",
];

/** What triggers an element's request, as far as the page says. */
export function triggerOf(element: Element): string {
  const attribute = member(element, "getAttribute");
  return attribute("hx-trigger") ?? attribute("data-hx-trigger") ?? "";
}

/** Whether htmx posts an element by itself. */
export function isPosting(element: Element): boolean {
  return member(element, "getAttributeNames")().some((each) => POSTS.test(each));
}

/** The button that was clicked, if with it htmx posts the form by a request of the button's own. */
export function postedBy(form: HTMLFormElement, { target }: Event): Control | undefined {
  const button = member(target as Element, "closest")?.(BUTTONS) as Control | null;
  // What only looks like a button has no type, and that of a link is empty.
  if (!button || !/^(submit|image|button|)$/.test(button.type ?? "") || !isPosting(button)) return;
  if (!/\bclick|^$/.test(triggerOf(button))) return;
  // As both versions find it: a link has no form of its own.
  return (button.form ?? button.closest("form")) === form ? button : undefined;
}

/**
 * Whether htmx sends the value of a button that submits nothing (`type="button"`):
 * that of a `<button>` in version 2 (2.0.11, `getInputValues`), none in version 4
 * (4.0.1, `#collectFormData`).
 */
export function sendsPlainButtons(button: Element): boolean {
  return button.localName === "button" && isVersion2();
}

/**
 * Tells htmx 2 which button submits the form now. It goes by the button that had
 * the focus last (2.0.11, `maybeSetLastButtonClicked`), which may be another one by
 * the time a submission goes on, and then it would send that one's value.
 */
export function tellButton(button: Element | null): void {
  if (isVersion2()) button?.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
}

/** Which event a request came from, whether it is over, and the status of its answer, 0 without one. */
export function requestOf(event: Event): {
  cause: Event | undefined;
  isOver: boolean;
  status: number;
} {
  const { detail, type } = event as CustomEvent<(Htmx2Detail & Htmx4Detail) | null>;
  return {
    cause: detail?.requestConfig?.triggeringEvent ?? detail?.ctx?.sourceEvent,
    isOver: !/before/.test(type),
    status: detail?.xhr?.status ?? detail?.ctx?.response?.status ?? 0,
  };
}

interface Htmx2Detail {
  readonly requestConfig?: { readonly triggeringEvent?: Event };
  readonly xhr?: { readonly status: number };
}

interface Htmx4Detail {
  readonly ctx?: { readonly sourceEvent?: Event; readonly response?: { readonly status: number } };
}

function isVersion2(): boolean {
  const { htmx } = globalThis as { htmx?: { version?: string } };
  return /^2/.test(htmx?.version ?? "");
}
