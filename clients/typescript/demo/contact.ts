/**
 * The contact form: checked by the server while the user types, and as a whole
 * before it counts as sent.
 *
 * Knows its fields and when to ask about them. Must not know their rules: the
 * server has them.
 */
import { find, setText } from "./dom.ts";
import { RhtmxError } from "../src/index.ts";
import type { Client } from "../src/index.ts";

const FORM = "contact";

/** Milliseconds without a key after which a value is worth a question. */
const PAUSE = 300;

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** See the head of the file. */
export class ContactForm {
  readonly #client: Pick<Client, "validateField" | "validateForm">;
  readonly #form = find(document, "#contact", HTMLFormElement);
  readonly #status = find(document, "#contact-status", HTMLElement);
  readonly #controls: readonly Control[];
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** The fields that the user has written in: the others show no errors yet. */
  readonly #touched = new Set<string>();

  constructor(client: Pick<Client, "validateField" | "validateForm">) {
    this.#client = client;
    this.#controls = [...this.#form.querySelectorAll<Control>("input, select, textarea")];
    for (const control of this.#controls) this.#listen(control);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#stopTimers();
      void this.#submit().catch((error: unknown) => this.#say(inWords(error)));
    });
  }

  #listen(control: Control): void {
    const { name } = control;
    control.addEventListener("input", () => {
      this.#say("");
      this.#touched.add(name);
      clearTimeout(this.#timers.get(name));
      this.#timers.set(name, setTimeout(() => this.#check(control), PAUSE));
    });
    control.addEventListener("blur", () => {
      clearTimeout(this.#timers.get(name));
      this.#check(control);
    });
  }

  /** Asks about a field, and about those whose rules look at it. */
  #check(control: Control): void {
    const affected = this.#controls.filter(({ name }) => name === control.dataset["affects"]);
    for (const each of [control, ...affected]) {
      if (!this.#touched.has(each.name)) continue;
      void this.#ask(each).catch((error: unknown) => {
        const replaced = error instanceof RhtmxError && error.code === "superseded";
        if (!replaced) this.#say(inWords(error));
      });
    }
  }

  async #ask(control: Control): Promise<void> {
    const values = this.#values();
    const asked = control.value;
    const { error } = await this.#client.validateField(FORM, control.name, asked, { values });
    // The user has typed on meanwhile, or sent the form: the answer is an old one.
    if (control.value !== asked || !this.#touched.has(control.name)) return;
    this.#showError(control, error ?? "");
  }

  async #submit(): Promise<void> {
    this.#say("Checking…");
    const { valid, errors } = await this.#client.validateForm(FORM, this.#values());
    const words = new Map(errors.map(({ field, error }) => [field, error]));
    for (const control of this.#controls) {
      this.#touched.add(control.name);
      this.#showError(control, words.get(control.name) ?? "");
    }
    if (valid) this.#succeed();
    else this.#fail(words);
  }

  #succeed(): void {
    this.#form.reset();
    this.#touched.clear();
    for (const control of this.#controls) control.removeAttribute("aria-invalid");
    this.#say("Thank you, everything is valid. This is a demo: nothing was sent to anybody.");
  }

  #fail(errors: ReadonlyMap<string, string>): void {
    const count = errors.size === 1 ? "1 field needs" : `${errors.size} fields need`;
    this.#say(`${errors.get("") ?? ""} ${count} another look.`.trim());
    this.#controls.find(({ name }) => errors.has(name))?.focus();
  }

  #showError(control: Control, error: string): void {
    const [label] = control.labels ?? [];
    const place = find(this.#form, `#${control.name}-error`, HTMLElement);
    if (error || control.value) control.setAttribute("aria-invalid", String(error !== ""));
    else control.removeAttribute("aria-invalid");
    setText(place, error && `${label?.textContent ?? control.name} ${error}.`);
  }

  #values(): Record<string, string> {
    return Object.fromEntries(this.#controls.map(({ name, value }) => [name, value]));
  }

  #stopTimers(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #say(text: string): void {
    setText(this.#status, text);
  }
}

function inWords(error: unknown): string {
  return `Could not be checked: ${error instanceof Error ? error.message : String(error)}`;
}
