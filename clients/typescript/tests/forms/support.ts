/**
 * A page with a form, and a client whose answers the test gives.
 */
import { vi } from "vitest";

import type {
  FieldAnswer,
  FieldNews,
  FormAnswer,
  FormsClient,
  FormValue,
  FormValues,
} from "../../src/forms/index.ts";

// happy-dom does not reflect these two; browsers do.
for (const [property, attribute] of [
  ["ariaInvalid", "aria-invalid"],
  ["ariaLive", "aria-live"],
]) {
  Object.defineProperty(Element.prototype, property!, {
    configurable: true,
    get(this: Element) {
      return this.getAttribute(attribute!);
    },
    set(this: Element, value: string | null) {
      if (value === null) this.removeAttribute(attribute!);
      else this.setAttribute(attribute!, value);
    },
  });
}

// Its forms are proxies of what has the private members that this one method needs. Read
// from the proxy, a function comes bound to what is behind it.
const target = Object.getPrototypeOf(Node.prototype) as EventTarget;
const { dispatchEvent } = target;
let isBehind = false;
target.dispatchEvent = function (event) {
  isBehind = this instanceof HTMLFormElement && !isBehind;
  return isBehind ? this.dispatchEvent(event) : dispatchEvent.call(this, event);
};

interface Question<A> {
  readonly values: FormValues;
  readonly formInstance: string;
  readonly receipt?: boolean | undefined;
  readonly answer: (answer: A) => Promise<void>;
  readonly refuse: (error: Error) => Promise<void>;
}

type FieldQuestion = Question<Partial<FieldAnswer>> & {
  readonly field: string;
  readonly value: FormValue | readonly FormValue[];
};

/** Lets everything happen that waits for promises only. */
export async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

export class FakeClient implements FormsClient {
  state = "open";
  isSecret?: (field: string) => boolean;
  readonly fields: FieldQuestion[] = [];
  readonly forms: Question<Partial<FormAnswer>>[] = [];
  readonly listeners = new Set<(state: string) => void>();
  readonly newsListeners = new Set<(news: FieldNews) => void>();
  /** The forms of which nothing more is wanted. */
  readonly closed: string[] = [];

  onState(listener: (state: string) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  onValidation(listener: (news: FieldNews) => void): () => void {
    this.newsListeners.add(listener);
    return () => void this.newsListeners.delete(listener);
  }

  closeForm(_form: string, formInstance: string): void {
    this.closed.push(formInstance);
  }

  /** The server says something of a field that nobody has asked for. */
  says(news: Partial<FieldNews>): void {
    const full = { field: "", valid: !news.error, metadata: null, live: true, ...news };
    for (const listener of this.newsListeners) listener(full);
  }

  /** The connection is another one. */
  becomes(state: string): void {
    this.state = state;
    for (const listener of this.listeners) listener(state);
  }

  validateField(
    _form: string,
    field: string,
    value: FormValue | readonly FormValue[],
    { values, formInstance }: { values: FormValues; formInstance: string },
  ): Promise<FieldAnswer> {
    return new Promise((resolve, reject) => {
      this.fields.push({
        ...{ field, value, values: { ...values }, formInstance },
        answer: (answer) => {
          resolve({ valid: !answer.error, metadata: null, ...answer });
          return settled();
        },
        refuse: (error) => {
          reject(error);
          return settled();
        },
      });
    });
  }

  validateForm(
    _form: string,
    values: FormValues,
    { formInstance, receipt }: { formInstance: string; receipt?: boolean | undefined },
  ): Promise<FormAnswer> {
    return new Promise((resolve, reject) => {
      this.forms.push({
        ...{ values: { ...values }, formInstance, receipt },
        answer: ({ errors = [], valid = errors.length === 0, ...more }) => {
          resolve({ valid, errors, ...more });
          return settled();
        },
        refuse: (error) => {
          reject(error);
          return settled();
        },
      });
    });
  }

  /** What was asked about since the last call: fields and their values. */
  asked(): string[] {
    return this.fields.splice(0).map(({ field, value }) => `${field}=${value}`);
  }
}

/** The page becomes this form. */
export function page(inside: string, attributes = 'data-rhtmx-form="contact"'): HTMLFormElement {
  document.body.innerHTML = `<form ${attributes}>${inside}</form>`;
  return document.querySelector("form")!;
}

export function find<E extends HTMLElement = HTMLInputElement>(selector: string): E {
  const found = document.querySelector<E>(selector);
  if (!found) throw new Error(`nothing is ${selector} in ${document.body.innerHTML}`);
  return found;
}

/** An event that comes from the user, not from a script. */
export function trusted(event: Event): Event {
  return Object.defineProperty(event, "isTrusted", { value: true });
}

/** The user types a value into a control. */
export function type(name: string, value: string, more: { isComposing?: boolean } = {}): void {
  const control = find(`[name="${name}"]`);
  control.value = value;
  control.dispatchEvent(trusted(new InputEvent("input", { bubbles: true, ...more })));
}

/** The user chooses a file. */
export function choose(name: string, file: File): void {
  const control = find(`[name="${name}"]`);
  const chosen = new DataTransfer();
  chosen.items.add(file);
  control.files = chosen.files;
  for (const type of ["input", "change"]) {
    control.dispatchEvent(trusted(new Event(type, { bubbles: true })));
  }
}

/** What stands in a control is no value, and the browser says so. */
export function becomesBad(name: string, words = "Please enter a number."): void {
  const control = find(`[name="${name}"]`);
  control.value = "";
  Object.defineProperty(control, "validity", { configurable: true, value: { badInput: true } });
  Object.defineProperty(control, "validationMessage", { configurable: true, value: words });
  control.dispatchEvent(trusted(new InputEvent("input", { bubbles: true })));
}

/** The user goes elsewhere. */
export function leave(name: string): void {
  find(`[name="${name}"]`).dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
}

/** The words shown for a field, as a screen reader finds them. */
export function described(name: string): string {
  const ids = find(`[name="${name}"]`).getAttribute("aria-describedby") ?? "";
  return ids
    .split(" ")
    .map((id) => document.getElementById(id)?.textContent ?? "")
    .join("");
}

/** The words for the form as a whole. */
export function whole(): string {
  return document.querySelector('[data-rhtmx-error=""]')?.textContent ?? "";
}
