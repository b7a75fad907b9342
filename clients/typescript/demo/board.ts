/**
 * The board on the page: its columns, and the cards in them.
 *
 * Knows cards and their order. Must not know how writes travel.
 */

import { arrange, find, setText } from "../inspector/dom.ts";
import type { Client, OpenConflict, OpenConflicts, Progress, Row } from "../src/index.ts";
import { Card } from "./card.ts";
import type { Answers } from "./conflict.ts";
import type { Drafts } from "./drafts.ts";
import { acceptDrops } from "./dragging.ts";
import type { Edits } from "./edits.ts";
import { Task } from "./schema/index.ts";
import type { ShownTask, Tasks } from "./task.ts";
import { COLUMNS, fieldInWords, NO_TASK, taskOf, wrongWith } from "./task.ts";
import { savedInWords } from "./words.ts";

/** See the head of the file. */
export class Board {
  readonly #client: Client;
  readonly #conflicts: OpenConflicts;
  readonly #board = find(document, "#board", HTMLElement);
  readonly #loading = find(document, "#loading", HTMLProgressElement);
  readonly #cards = new Map<string, Card>();
  /** What each card shows: the same row is not shown again. */
  readonly #shown = new Map<string, Row<Task>>();
  readonly #edits: Edits;
  readonly #drafts: Drafts;
  /** Tasks that went, as they were shown last: a conflict may be about one. */
  readonly #gone = new Map<string, ShownTask>();
  /** The numbers of the conflicts that were told, since their task is gone. */
  readonly #told = new Set<number | undefined>();
  #loaded = false;

  constructor(client: Client, tasks: Tasks, edits: Edits, drafts: Drafts) {
    this.#client = client;
    this.#conflicts = tasks.conflicts;
    this.#edits = edits;
    this.#drafts = drafts;
    this.#listen();
    tasks.subscribe((rows) => {
      this.#show(rows);
      this.#showProgress(tasks.progress);
    });
    tasks.conflicts.subscribe(() => this.#showConflicts());
    void tasks.ready.then(() => this.#whenLoaded(tasks.snapshot));
    // Why it may never be, the page is told with the state of the connection.
    tasks.synced.then(
      () => {
        this.#whenSynced();
        this.#showProgress(tasks.progress);
      },
      () => {},
    );
    client.onQueue(() => this.#showSummary());
    client.onState(() => this.#showSummary());
    client.onRejected(() => this.#showRejected());
  }

  #listen(): void {
    const form = find(document, "#add", HTMLFormElement);
    const title = find(form, "#add-title", HTMLInputElement);
    const start = this.#drafts.of("").get("title");
    if (start) title.value = start.text;
    title.addEventListener("input", () => {
      const { value: text } = title;
      this.#drafts.keep("", "title", text ? { text, seen: "", version: 0 } : undefined);
      title.setCustomValidity("");
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const words = title.value.trim();
      const wrong = words && wrongWith({ ...NO_TASK, title: words }, "title");
      title.setCustomValidity(wrong);
      if (!title.reportValidity()) return;
      if (words) this.#edits.add(words);
      form.reset();
      this.#drafts.forget("");
    });
    for (const column of COLUMNS) {
      const part = find(this.#board, `.column:has([data-column=${column}])`, HTMLElement);
      acceptDrops(part, (id) => this.#cards.get(id)?.moveTo(column));
    }
  }

  #show(rows: readonly Row<Task>[]): void {
    const ids = new Set(rows.map(({ id }) => id));
    for (const id of this.#cards.keys()) if (!ids.has(id)) this.#forget(id);
    for (const row of rows) {
      if (this.#shown.get(row.id) !== row) this.#showCard(taskOf(row));
      this.#shown.set(row.id, row);
    }
    for (const column of COLUMNS) {
      const cards = rows.map(({ id }) => this.#cards.get(id)!);
      const here = cards.filter(({ task }) => task.column === column);
      arrange(
        this.#list(column),
        here.map(({ element }) => element),
      );
      const count = find(document, `[data-count=${column}]`, HTMLElement);
      setText(count, String(here.length));
    }
    this.#showConflicts();
    this.#showSummary();
  }

  #showCard(task: ShownTask): void {
    const { id } = task;
    const card = this.#cards.get(id);
    if (card) return card.show(task);
    const made = new Card(
      task,
      {
        edit: (...edit) => this.#edits.edit(...edit),
        remove: (removed) => this.#remove(removed),
        past: (which) => this.#edits.past(which),
        me: () => this.#client.info.clientId,
      },
      this.#drafts,
    );
    made.resume();
    this.#cards.set(id, made);
  }

  /** Removes a task, and leaves the keyboard where it was in the column. */
  #remove(task: ShownTask): void {
    const element = this.#cards.get(task.id)?.element;
    const next = element?.nextElementSibling ?? element?.previousElementSibling;
    // Whatever is open about it is settled.
    for (const each of this.#conflicts.of(task.id)) this.#edits.leave(each);
    this.#edits.remove(task);
    find(next ?? document, next ? ".remove" : "#add-title", HTMLElement).focus();
  }

  #forget(id: string): void {
    const card = this.#cards.get(id)!;
    this.#cards.delete(id);
    this.#shown.delete(id);
    this.#drafts.forget(id);
    this.#edits.gone(card.task, card.remove());
    this.#gone.set(id, card.task);
  }

  #showConflicts(): void {
    const me = this.#client.info.clientId;
    for (const [id, card] of this.#cards) {
      card.showConflicts(this.#conflicts.of(id), (each) => this.#answersTo(each));
    }
    for (const each of this.#conflicts.snapshot) {
      const { id, number, lost } = each;
      if (this.#cards.has(id) || !this.#isSynced || this.#told.has(number)) continue;
      this.#told.add(number);
      if (lost.client_id === me) this.#edits.lost(each, this.#gone.get(id));
    }
  }

  #answersTo(conflict: OpenConflict): Answers {
    return {
      theirs: () => this.#edits.takeTheirs(conflict),
      mine: () => this.#edits.keepMine(conflict),
      both: (text) => this.#edits.merge(conflict, text),
    };
  }

  #showRejected(): void {
    const fields = new Map<string, string[]>();
    for (const { message } of this.#client.rejected) {
      if (!("entity" in message) || message.entity !== Task.name) continue;
      const names = "fields" in message ? message.fields.map(({ field }) => field) : [];
      fields.set(message.entity_id, [...(fields.get(message.entity_id) ?? []), ...names]);
    }
    for (const [id, card] of this.#cards) {
      const names = fields.get(id);
      card.rejected(names ? `Rejected: ${names.map(fieldInWords).join(", ")}.` : "");
    }
  }

  #whenLoaded(rows: readonly Row<Task>[]): void {
    this.#loaded = true;
    this.#board.setAttribute("aria-busy", "false");
    this.#show(rows);
    this.#showRejected();
  }

  /** How far a long load is. */
  #showProgress(progress: Progress | undefined): void {
    this.#loading.hidden = !progress;
    if (!progress) return;
    this.#loading.max = progress.expected;
    this.#loading.value = progress.received;
  }

  /** What was being written in a task that is gone by now is not lost. */
  #whenSynced(): void {
    this.#board.dataset.synced = "true";
    this.#showConflicts();
    for (const id of this.#drafts.ids) {
      if (id === "" || this.#cards.has(id)) continue;
      const written = [...this.#drafts.of(id)].map(([field, { text }]) => [field, text]);
      const task = taskOf({ id, data: NO_TASK, version: 0, pending: false });
      this.#edits.gone(task, Object.fromEntries(written));
      this.#drafts.forget(id);
    }
    this.#showSummary();
  }

  /** Whether it has caught up once: what is not there is gone. */
  get #isSynced(): boolean {
    return !!this.#board.dataset.synced;
  }

  #showSummary(): void {
    if (!this.#loaded) return;
    const known = this.#isSynced || this.#client.state === "offline";
    find(document, "#tasks-empty", HTMLElement).hidden = !known || this.#cards.size > 0;
    const count = this.#cards.size === 1 ? "1 task" : `${this.#cards.size} tasks`;
    const saved = savedInWords(this.#client.queue.length);
    setText(find(document, "#tasks-log", HTMLElement), `${count}, ${saved}.`);
  }

  #list(column: string): HTMLElement {
    return find(this.#board, `[data-column=${column}]`, HTMLElement);
  }
}
