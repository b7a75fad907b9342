/**
 * A text that is edited in place: Enter or leaving it saves, Escape takes back.
 * In a text of several lines Enter is a new line, and with Ctrl it saves. A text of
 * one line may need several to be shown: a `textarea` with `data-lines="one"`.
 *
 * Knows one control. Must not know what it edits, nor how that is saved.
 *
 * While the user is writing, what others save does not take the text away:
 * `overtaken` says that there is something to tell the user instead. What is wrong is
 * not saved, and stays as it was written, until it is right: `wrong` says why.
 */
import { isMoving } from "../inspector/dom.ts";
import type { Draft } from "./drafts.ts";

/** A value as the user saw it, and the version that it was from. */
interface Seen {
  readonly value: string;
  readonly version: number;
}

/** What comes of writing. */
export interface Writing {
  /** What is wrong with a value, in words; empty if it can be saved. */
  judge(value: string): string;
  /** A new value is to be saved; `version` is the one that the user had seen. */
  save(value: string, version: number): void;
  /** This was typed and is not saved yet; undefined: nothing is. */
  draft(draft: Draft | undefined): void;
}

/** See the head of the file. */
export class TextField {
  readonly #control: HTMLInputElement | HTMLTextAreaElement;
  readonly #writing: Writing;
  #latest: Seen = { value: "", version: 0 };
  /** What was latest when the user began to write; undefined while nobody writes. */
  #start: Seen | undefined;
  #shown = false;
  #wrong = "";

  constructor(control: HTMLInputElement | HTMLTextAreaElement, writing: Writing) {
    this.#control = control;
    this.#writing = writing;
    control.addEventListener("input", () => this.#typed());
    control.addEventListener("change", () => this.#commit());
    control.addEventListener("keydown", (event) => this.#key(event as KeyboardEvent));
  }

  /** Whether others have saved another value since the user began to write. */
  get overtaken(): boolean {
    return this.#start !== undefined && this.#start.value !== this.#latest.value;
  }

  /** Why what was written is not saved; empty if nothing is wrong with it. */
  get wrong(): string {
    return this.#wrong;
  }

  get #oneLine(): boolean {
    return this.#control instanceof HTMLInputElement || this.#control.dataset.lines === "one";
  }

  /** Shows a value, unless the user is writing another one. */
  show(value: string, version: number): void {
    this.#latest = { value, version };
    if (this.#start !== undefined) return;
    if (value !== this.#control.value) {
      this.#control.value = value;
      if (this.#shown) highlight(this.#control);
    }
    this.#shown = true;
  }

  /** Goes on with what was typed before the page was loaded anew. */
  resume({ text, seen, version }: Draft): void {
    this.#control.value = text;
    this.#start = { value: seen, version };
  }

  /**
   * Gives up what was typed and is not saved, and returns it; undefined if there
   * is nothing. Before a control is removed: the browser takes that for leaving it.
   */
  abandon(): string | undefined {
    const draft = this.#start && this.#control.value;
    this.#revert();
    return draft;
  }

  #typed(): void {
    this.#refuse("");
    // What is pasted may have line breaks. An assignment moves the caret: only if it has to be.
    const { value: typed } = this.#control;
    const value = this.#oneLine ? typed.replace(/\s*[\r\n]\s*/g, " ") : typed;
    if (value !== typed) this.#control.value = value;
    if (value === this.#latest.value) this.#start = undefined;
    else this.#start ??= this.#latest;
    const { value: seen, version } = this.#start ?? this.#latest;
    this.#writing.draft(this.#start && { text: value, seen, version });
  }

  #commit(): void {
    const value = this.#control.value.trim();
    const start = this.#start;
    if (start === undefined || isMoving()) return;
    if (value === this.#latest.value || (this.#control.required && value === "")) {
      this.#revert();
      return;
    }
    this.#refuse(this.#writing.judge(value));
    if (this.#wrong) return;
    this.#start = undefined;
    this.#control.value = value;
    this.#writing.draft(undefined);
    this.#writing.save(value, start.version);
  }

  #refuse(wrong: string): void {
    this.#wrong = wrong;
    if (wrong) this.#control.setAttribute("aria-invalid", "true");
    else this.#control.removeAttribute("aria-invalid");
  }

  #revert(): void {
    this.#refuse("");
    if (this.#start) this.#writing.draft(undefined);
    this.#start = undefined;
    this.#control.value = this.#latest.value;
  }

  #key(event: KeyboardEvent): void {
    // Enter also ends the choice of a word in an input method: not ours then.
    if (event.isComposing) return;
    if (event.key === "Enter" && (this.#oneLine || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.#commit();
    } else if (event.key === "Escape") this.#revert();
  }
}

/** Shows for a moment that an element has changed. */
export function highlight(element: Element): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.animate([{ backgroundColor: "var(--highlight)" }, {}], { duration: 1500 });
}
