/**
 * The list of tasks on the page.
 *
 * Knows rows and their order. Must not know how writes travel or conflicts are
 * told: the writer does.
 */
import { Board } from "./board.ts";
import { find, setText } from "./dom.ts";
import { Row } from "./row.ts";
import { removedInWords, savedInWords } from "./words.ts";
import { ENTITY, Writer } from "./writer.ts";
import type { Client, FieldChangeLog, Position } from "../src/index.ts";
import type { Notices } from "./notices.ts";

/** See the head of the file. */
export class TaskList {
  readonly #list = find(document, "#tasks", HTMLElement);
  readonly #empty = find(document, "#tasks-empty", HTMLElement);
  readonly #log = find(document, "#tasks-log", HTMLElement);
  readonly #rows = new Map<string, Row>();
  /** Tasks that changed and are not shown yet. */
  readonly #stale = new Set<string>();
  readonly #board = new Board();
  readonly #notices: Notices;
  readonly #writer: Writer;
  #loaded = false;

  constructor(client: Client, notices: Notices) {
    this.#notices = notices;
    this.#writer = new Writer(client, this.#board, notices, (id) => {
      this.#stale.add(id);
      this.#refresh();
    });
    this.#listen();
    this.#subscribe(client);
  }

  #listen(): void {
    const form = find(document, "#add", HTMLFormElement);
    const title = find(form, "#add-title", HTMLInputElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const words = title.value.trim();
      if (words) void this.#writer.edit(newId(), { title: words, assignee: "", done: false });
      form.reset();
    });
  }

  #subscribe(client: Client): void {
    const changed = (log: FieldChangeLog) => {
      this.#board.apply(log);
      this.#stale.add(log.entity_id);
      if (!log.more) this.#refresh();
    };
    const onReset = () => {
      for (const id of this.#board.ids) this.#stale.add(id);
      this.#board.reset();
    };
    const onSynced = ({ version }: Position) => {
      this.#loaded = true;
      this.#board.reached(version);
      this.#refresh();
    };
    client.subscribeFields(ENTITY, changed, { since: 0, onReset, onSynced });
  }

  /** Shows what changed since the last time, whole commits at a time. */
  #refresh(): void {
    for (const id of this.#stale) this.#show(id);
    this.#stale.clear();
    this.#showSummary();
  }

  #show(id: string): void {
    const task = this.#board.task(id);
    const row = this.#rows.get(id);
    if (task === undefined) this.#forget(id);
    else if (row !== undefined) row.show(task, this.#board.versionOf(id));
    else {
      const added = new Row(task, this.#board.versionOf(id), {
        edit: (...edit) => void this.#writer.edit(...edit),
        remove: () => this.#remove(id),
      });
      this.#rows.set(id, added);
      this.#list.insertBefore(added.element, this.#after(id));
    }
  }

  /** Removes a task, and leaves the keyboard where it was in the list. */
  #remove(id: string): void {
    const element = this.#rows.get(id)?.element;
    const next = element?.nextElementSibling ?? element?.previousElementSibling;
    void this.#writer.remove(id);
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
    const saved = savedInWords(this.#board.waiting);
    setText(this.#log, `Version ${this.#board.version} of the list, ${saved}.`);
  }
}

/** An id that nobody else makes; later ones sort after earlier ones. */
function newId(): string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  const parts = [Date.now(), ...random].map((part) => part.toString(36).padStart(7, "0"));
  return parts.join("-").padStart(9, "0");
}
