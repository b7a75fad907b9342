/**
 * The list of tasks on the page.
 *
 * Knows rows and their order. Must not know how writes travel or conflicts are
 * told: the writer does.
 */
import { taskOf } from "./board.ts";
import { find, setText } from "./dom.ts";
import { Row } from "./row.ts";
import { removedInWords, savedInWords } from "./words.ts";
import { Writer } from "./writer.ts";
import type { Client, Collection, Row as Record } from "../src/index.ts";
import type { Fields } from "./board.ts";
import type { Notices } from "./notices.ts";

/** See the head of the file. */
export class TaskList {
  readonly #list = find(document, "#tasks", HTMLElement);
  readonly #empty = find(document, "#tasks-empty", HTMLElement);
  readonly #log = find(document, "#tasks-log", HTMLElement);
  readonly #rows = new Map<string, Row>();
  /** What is shown of each task. */
  #shown: readonly Record<Fields>[] = [];
  readonly #client: Client;
  readonly #tasks: Collection<Fields>;
  readonly #notices: Notices;
  readonly #writer: Writer;
  #loaded = false;

  constructor(client: Client, notices: Notices) {
    this.#client = client;
    this.#notices = notices;
    this.#tasks = client.collection<Fields>("tasks", { granularity: "fields" });
    this.#writer = new Writer(this.#tasks, notices);
    this.#listen();
    this.#tasks.subscribe((rows) => this.#refresh(rows));
    client.onQueue(() => this.#showSummary());
    void this.#tasks.synced.then(() => {
      this.#loaded = true;
      this.#showSummary();
    });
  }

  #listen(): void {
    const form = find(document, "#add", HTMLFormElement);
    const title = find(form, "#add-title", HTMLInputElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const words = title.value.trim();
      if (words) this.#writer.edit(newId(), { title: words, assignee: "", done: false });
      form.reset();
    });
  }

  /** Shows what changed since the last time. */
  #refresh(rows: readonly Record<Fields>[]): void {
    const before = new Set(this.#shown);
    const now = new Set(rows.map(({ id }) => id));
    for (const { id } of this.#shown) if (!now.has(id)) this.#forget(id);
    for (const row of rows) if (!before.has(row)) this.#show(row);
    this.#shown = rows;
    this.#showSummary();
  }

  #show(record: Record<Fields>): void {
    const { id, version } = record;
    const task = taskOf(record);
    const row = this.#rows.get(id);
    if (row !== undefined) return row.show(task, version);
    const added = new Row(task, version, {
      edit: (...edit) => this.#writer.edit(...edit),
      remove: () => this.#remove(id),
    });
    this.#rows.set(id, added);
    this.#list.insertBefore(added.element, this.#after(id));
  }

  /** Removes a task, and leaves the keyboard where it was in the list. */
  #remove(id: string): void {
    const element = this.#rows.get(id)?.element;
    const next = element?.nextElementSibling ?? element?.previousElementSibling;
    this.#writer.remove(id);
    find(next ?? document, next ? ".remove" : "#add-title", HTMLElement).focus();
  }

  #forget(id: string): void {
    const draft = this.#rows.get(id)?.remove();
    this.#rows.delete(id);
    if (draft !== undefined) this.#notices.show(removedInWords(draft));
  }

  /** The row that follows, by id: ids begin with the time at which they were made. */
  #after(id: string): Element | null {
    const rows = [...this.#list.children] as HTMLElement[];
    return rows.find((row) => (row.dataset["id"] ?? "") > id) ?? null;
  }

  #showSummary(): void {
    this.#empty.hidden = !this.#loaded || this.#rows.size > 0;
    if (!this.#loaded) return;
    const version = Math.max(0, ...this.#shown.map((row) => row.version));
    const saved = savedInWords(this.#client.queue.length);
    setText(this.#log, `Version ${version} of the list, ${saved}.`);
  }
}

/** An id that nobody else makes; later ones sort after earlier ones. */
function newId(): string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  const parts = [Date.now(), ...random].map((part) => part.toString(36).padStart(7, "0"));
  return parts.join("-").padStart(9, "0");
}
