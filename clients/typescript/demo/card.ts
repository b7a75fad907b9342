/**
 * One task on the page.
 *
 * Knows the elements of its card. Must not know other tasks, nor how anything
 * is saved.
 */

import { find, instantiate, setText, showText } from "../inspector/dom.ts";
import type { OpenConflict } from "../src/index.ts";
import type { Answers } from "./conflict.ts";
import { conflictPanel } from "./conflict.ts";
import type { Drafts } from "./drafts.ts";
import { allowDrag } from "./dragging.ts";
import type { TaskPast } from "./past.ts";
import { Past } from "./past.ts";
import type { Column } from "./schema/index.ts";
import type { Fields, ShownTask, TextName } from "./task.ts";
import { fieldInWords, TEXTS, wrongWith } from "./task.ts";
import { TextField } from "./textfield.ts";
import { inWords } from "./words.ts";

/** What the user can do with a task. */
export interface Actions {
  /** Writes some fields; `seen` is the version that the user had before the eyes. */
  edit(id: string, fields: Fields, seen: number): void;
  /** Removes the task. */
  remove(task: ShownTask): void;
  /** Finds out who wrote what. */
  past(id: string): Promise<TaskPast>;
  /** The id of this client. */
  me(): string;
}

/** See the head of the file. */
export class Card {
  readonly element = instantiate("card");
  readonly #column = find(this.element, "[data-field=column]", HTMLSelectElement);
  readonly #conflicts = find(this.element, ".conflicts", HTMLElement);
  /** The panels of the conflicts without an answer, by number. */
  readonly #open = new Map<number | undefined, HTMLElement>();
  readonly #past: Past;
  readonly #texts: ReadonlyMap<TextName, TextField>;
  readonly #drafts: Drafts;
  readonly #actions: Actions;
  #task: ShownTask;

  constructor(task: ShownTask, actions: Actions, drafts: Drafts) {
    const { id } = task;
    this.#task = task;
    this.#actions = actions;
    this.#drafts = drafts;
    this.element.dataset.id = id;
    this.#texts = new Map(TEXTS.map((name) => [name, this.#textField(name)]));
    this.#column.addEventListener("change", () => this.moveTo(this.#column.value));
    allowDrag(find(this.element, ".handle", HTMLElement), this.element);
    const remove = find(this.element, ".remove", HTMLButtonElement);
    remove.addEventListener("click", () => actions.remove(this.#task));
    const details = find(this.element, "details", HTMLDetailsElement);
    this.#past = new Past(details, () => actions.past(id), actions.me);
    for (const type of ["input", "change", "keyup", "focusin", "focusout"]) {
      this.element.addEventListener(type, () => this.#showWriting());
    }
    this.show(task);
  }

  /** The task as it is shown. */
  get task(): ShownTask {
    return this.#task;
  }

  /** Shows the task as it is now. */
  show(task: ShownTask): void {
    this.#task = task;
    for (const [name, text] of this.#texts) text.show(task[name], task.version);
    this.#column.value = task.column;
    this.element.dataset.pending = String(task.pending);
    setText(find(this.element, ".mark", HTMLElement), task.pending ? "Not saved yet" : "Saved");
    this.#showNames(task.title);
    this.#showWriting();
    this.#past.show(task.version);
  }

  /** Writes another column. */
  moveTo(column: string): void {
    if (column !== this.#task.column) {
      this.#actions.edit(this.#task.id, { column: column as Column }, this.#task.version);
    }
  }

  /** Goes on with what was being written before the page was loaded anew. */
  resume(): void {
    for (const [field, draft] of this.#drafts.of(this.#task.id)) {
      this.#texts.get(field as TextName)?.resume(draft);
    }
    this.#showWriting();
  }

  /** Shows the conflicts that nobody has answered. */
  showConflicts(
    conflicts: readonly OpenConflict[],
    answersTo: (each: OpenConflict) => Answers,
  ): void {
    const numbers = new Set(conflicts.map(({ number }) => number));
    for (const [number, panel] of this.#open) if (!numbers.has(number)) this.#close(number, panel);
    for (const each of conflicts) {
      if (this.#open.has(each.number)) continue;
      const panel = this.#conflictPanel(each, answersTo(each));
      this.#open.set(each.number, panel);
      this.#conflicts.append(panel);
    }
    this.#conflicts.hidden = this.#open.size === 0;
  }

  #conflictPanel(conflict: OpenConflict, answers: Answers): HTMLElement {
    const me = this.#actions.me();
    const isParty = [conflict.stored, conflict.pushed].some(({ client_id }) => client_id === me);
    // Gone before anything else happens: who answers has the keyboard where the task is.
    const close = (answer: () => void) => () => {
      this.#close(conflict.number, panel);
      this.#title.focus();
      answer();
    };
    const panel = conflictPanel(
      conflict,
      {
        theirs: close(answers.theirs),
        mine: close(answers.mine),
        both: (text) => close(() => answers.both(text))(),
      },
      isParty,
    );
    return panel;
  }

  #close(number: number | undefined, panel: HTMLElement): void {
    this.#open.delete(number);
    const hadFocus = panel.contains(document.activeElement);
    panel.remove();
    this.#conflicts.hidden = this.#open.size === 0;
    if (hadFocus) this.#title.focus();
  }

  get #title(): HTMLElement {
    return find(this.element, "[data-field=title]", HTMLElement);
  }

  /** Says that a write to this task was rejected; with an empty text that none is. */
  rejected(words: string): void {
    const place = find(this.element, ".rejected", HTMLElement);
    setText(find(place, "span", HTMLElement), words);
    place.hidden = words === "";
  }

  /** Takes the card off the page. Returns what was typed in it and is not saved, by field. */
  remove(): Fields {
    const drafts = [...this.#texts].map(([name, text]) => [name, text.abandon()] as const);
    this.element.remove();
    return Object.fromEntries(drafts.filter((each): each is [TextName, string] => !!each[1]));
  }

  #textField(name: TextName): TextField {
    const control = find(this.element, `[data-field=${name}]`, HTMLElement);
    const { id } = this.#task;
    return new TextField(control as HTMLInputElement | HTMLTextAreaElement, {
      judge: (value) => wrongWith({ ...this.#task, [name]: value }, name),
      save: (value, seen) => this.#actions.edit(id, { [name]: value }, seen),
      draft: (draft) => this.#drafts.keep(id, name, draft),
    });
  }

  #showNames(title: string): void {
    this.#title.setAttribute("aria-label", fieldInWords("title"));
    for (const name of ["assignee", "notes", "column"]) {
      const control = find(this.element, `[data-field=${name}]`, HTMLElement);
      control.setAttribute("aria-label", `${fieldInWords(name)}: ${title}`);
    }
    const remove = find(this.element, ".remove", HTMLElement);
    remove.setAttribute("aria-label", `Delete: ${title}`);
    const summary = find(this.element, "summary", HTMLElement);
    summary.setAttribute("aria-label", `Who wrote what: ${title}`);
  }

  /** Tells what others saved in a field that the user is writing in. */
  #showWriting(): void {
    const overtaken = TEXTS.filter((name) => this.#texts.get(name)?.overtaken);
    const words = overtaken.map((name) => inWords(name, this.#task[name]));
    const text = words.length > 0 ? `Another window saved ${words.join(", ")} meanwhile.` : "";
    showText(find(this.element, ".elsewhere", HTMLElement), text);
    const wrong = [...this.#texts.values()].map((field) => field.wrong).filter(Boolean);
    showText(find(this.element, ".wrong", HTMLElement), wrong.join(" "));
    const active = document.activeElement;
    const left = [...this.#drafts.of(this.#task.id).keys()].filter((name) => {
      return !(active instanceof HTMLElement && active.dataset.field === name);
    });
    const kept = left.map(fieldInWords).join(", ");
    showText(
      find(this.element, ".kept", HTMLElement),
      kept && `What you were writing is still here (${kept}): press Enter in it to save it.`,
    );
  }
}
