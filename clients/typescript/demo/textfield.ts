/**
 * A text that is edited in place: Enter or leaving it saves, Escape takes back.
 *
 * Knows one input. Must not know what it edits, nor how that is saved.
 *
 * While the user is writing, what others save does not take the text away:
 * `overtaken` says that there is something to tell the user instead.
 */

/** A value as the user saw it, and the version that it was from. */
interface Seen {
  readonly value: string;
  readonly version: number;
}

/** See the head of the file. */
export class TextField {
  readonly #input: HTMLInputElement;
  readonly #save: (value: string, version: number) => void;
  #latest: Seen = { value: "", version: 0 };
  /** What was latest when the user began to write; undefined while nobody writes. */
  #start: Seen | undefined;

  /** @param save called with a new value and the version that the user had seen. */
  constructor(input: HTMLInputElement, save: (value: string, version: number) => void) {
    this.#input = input;
    this.#save = save;
    input.addEventListener("input", () => this.#typed());
    input.addEventListener("change", () => this.#commit());
    input.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Whether others have saved another value since the user began to write. */
  get overtaken(): boolean {
    return this.#start !== undefined && this.#start.value !== this.#latest.value;
  }

  /** Shows a value, unless the user is writing another one. */
  show(value: string, version: number): void {
    this.#latest = { value, version };
    if (this.#start !== undefined || value === this.#input.value) return;
    this.#input.value = value;
    highlight(this.#input);
  }

  /**
   * Gives up what was typed and is not saved, and returns it; undefined if there
   * is nothing. Before an input is removed: the browser takes that for leaving it.
   */
  abandon(): string | undefined {
    const draft = this.#start && this.#input.value;
    this.#revert();
    return draft;
  }

  #typed(): void {
    if (this.#input.value === this.#latest.value) this.#start = undefined;
    else this.#start ??= this.#latest;
  }

  #commit(): void {
    const value = this.#input.value.trim();
    const start = this.#start;
    if (start === undefined) return;
    if (value === this.#latest.value || (this.#input.required && value === "")) {
      this.#revert();
      return;
    }
    this.#start = undefined;
    this.#input.value = value;
    this.#save(value, start.version);
  }

  #revert(): void {
    this.#start = undefined;
    this.#input.value = this.#latest.value;
  }

  #key(event: KeyboardEvent): void {
    // Enter also ends the choice of a word in an input method: not ours then.
    if (event.isComposing) return;
    if (event.key === "Enter") this.#commit();
    else if (event.key === "Escape") this.#revert();
  }
}

/** Shows for a moment that an element has changed. */
export function highlight(element: Element): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.animate([{ backgroundColor: "var(--highlight)" }, {}], { duration: 1500 });
}
