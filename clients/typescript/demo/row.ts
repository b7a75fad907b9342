/**
 * One task on the page.
 *
 * Knows the elements of its row. Must not know other tasks, nor how anything
 * is saved.
 */
import { find, instantiate, setText } from "./dom.ts";
import { TextField, highlight } from "./textfield.ts";
import { inWords } from "./words.ts";
import type { Fields, Task } from "./board.ts";

/** What the user can do with a task. */
export interface Actions {
  /** Writes some fields; `seen` is the version that the user had before the eyes. */
  edit(id: string, fields: Fields, seen: number): void;
  /** Removes the task. */
  remove(id: string): void;
}

const TEXTS = ["title", "assignee"] as const;

/** See the head of the file. */
export class Row {
  readonly element = instantiate("task");
  readonly #done = this.#input("done");
  readonly #remove = find(this.element, ".remove", HTMLButtonElement);
  readonly #elsewhere = find(this.element, ".elsewhere", HTMLElement);
  readonly #texts: ReadonlyMap<(typeof TEXTS)[number], TextField>;
  #task: Task;
  #version: number;

  constructor(task: Task, version: number, actions: Actions) {
    const { id } = task;
    this.#task = task;
    this.#version = version;
    this.element.dataset["id"] = id;
    this.#done.checked = task.done;
    this.#texts = new Map(
      TEXTS.map((name) => {
        this.#input(name).value = task[name];
        const save = (value: string, seen: number) => actions.edit(id, { [name]: value }, seen);
        return [name, new TextField(this.#input(name), save)];
      }),
    );
    this.#done.addEventListener("change", () => {
      actions.edit(id, { done: this.#done.checked }, this.#version);
    });
    this.#remove.addEventListener("click", () => actions.remove(id));
    for (const type of ["input", "change", "keyup"]) {
      this.element.addEventListener(type, () => this.#showElsewhere());
    }
    this.show(task, version);
  }

  /** Shows the task as it is at this version. */
  show(task: Task, version: number): void {
    this.#task = task;
    this.#version = version;
    if (this.#done.checked !== task.done) {
      this.#done.checked = task.done;
      highlight(this.element);
    }
    for (const [name, text] of this.#texts) text.show(task[name], version);
    this.element.classList.toggle("done", task.done);
    this.#showNames(task);
    this.#showElsewhere();
  }

  /** Takes the row off the page. Returns what was typed in it and is not saved, if anything. */
  remove(): string | undefined {
    const drafts = [...this.#texts.values()].map((text) => text.abandon());
    this.element.remove();
    return drafts.find((draft) => draft !== undefined);
  }

  #showNames({ title }: Task): void {
    this.#done.setAttribute("aria-label", `Done: ${title}`);
    this.#input("title").setAttribute("aria-label", "Title");
    this.#input("assignee").setAttribute("aria-label", `Assigned to: ${title}`);
    this.#remove.setAttribute("aria-label", `Remove: ${title}`);
  }

  /** Tells what others saved in a field that the user is writing in. */
  #showElsewhere(): void {
    const overtaken = TEXTS.filter((name) => this.#texts.get(name)?.overtaken);
    const words = overtaken.map((name) => inWords(name, this.#task[name]));
    const text = words.length > 0 ? `Another window saved ${words.join(", ")} meanwhile.` : "";
    setText(this.#elsewhere, text);
    this.#elsewhere.hidden = text === "";
  }

  #input(name: string): HTMLInputElement {
    return find(this.element, `[data-field=${name}]`, HTMLInputElement);
  }
}
