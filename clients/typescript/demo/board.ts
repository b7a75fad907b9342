/**
 * The board on the page: its columns, and the cards in them.
 *
 * Knows cards and their order. Must not know how writes travel.
 */

import type { Client, Collection, JsonValue, OpenConflict, Row } from "../src/index.ts";
import { Card } from "./card.ts";
import { arrange, find, setText } from "./dom.ts";
import type { Drafts } from "./drafts.ts";
import { acceptDrops } from "./dragging.ts";
import type { Edits } from "./edits.ts";
import type { Task } from "./task.ts";
import { COLUMNS, ENTITY, newId, taskOf } from "./task.ts";
import { fieldInWords, savedInWords } from "./words.ts";

/** See the head of the file. */
export class Board {
  readonly #client: Client;
  readonly #board = find(document, "#board", HTMLElement);
  readonly #cards = new Map<string, Card>();
  /** What each card shows: the same row is not shown again. */
  readonly #shown = new Map<string, Row<JsonValue>>();
  readonly #edits: Edits;
  readonly #drafts: Drafts;
  /** Tasks that the user removes: whatever is open about them is settled. */
  readonly #removed = new Set<string>();
  #loaded = false;

  constructor(client: Client, tasks: Collection<JsonValue>, edits: Edits, drafts: Drafts) {
    this.#client = client;
    this.#edits = edits;
    this.#drafts = drafts;
    this.#listen();
    tasks.subscribe((rows) => this.#show(rows));
    tasks.onConflict((conflict) => this.#conflict(conflict));
    void tasks.ready.then(() => this.#whenLoaded(tasks.snapshot));
    // Why it may never be, the page is told with the state of the connection.
    tasks.synced.then(
      () => this.#whenSynced(),
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
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const words = title.value.trim();
      const id = newId(Date.now(), crypto.getRandomValues(new Uint32Array(2)));
      if (words) this.#edits.add(id, words);
      form.reset();
      this.#drafts.forget("");
    });
    for (const column of COLUMNS) {
      const part = find(this.#board, `.column:has([data-column=${column}])`, HTMLElement);
      acceptDrops(part, (id) => this.#cards.get(id)?.moveTo(column));
    }
  }

  #show(rows: readonly Row<JsonValue>[]): void {
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
    this.#showSummary();
  }

  #showCard(task: Task): void {
    const { id } = task;
    const card = this.#cards.get(id);
    if (card) return card.show(task);
    const made = new Card(
      task,
      {
        edit: (...edit) => this.#edits.edit(...edit),
        remove: (removed) => this.#remove(removed),
      },
      this.#drafts,
    );
    made.resume();
    this.#cards.set(id, made);
  }

  /** Removes a task, and leaves the keyboard where it was in the column. */
  #remove(task: Task): void {
    const element = this.#cards.get(task.id)?.element;
    const next = element?.nextElementSibling ?? element?.previousElementSibling;
    this.#removed.add(task.id);
    this.#edits.remove(task);
    find(next ?? document, next ? ".remove" : "#add-title", HTMLElement).focus();
  }

  #forget(id: string): void {
    const card = this.#cards.get(id)!;
    this.#cards.delete(id);
    this.#shown.delete(id);
    this.#drafts.forget(id);
    this.#edits.gone(card.task, card.remove());
    if (this.#removed.delete(id)) return;
    for (const each of card.openConflicts) {
      if (each.winner === "server") this.#edits.lost(each, card.task);
    }
  }

  #conflict(conflict: OpenConflict): void {
    const answers = {
      theirs: () => this.#edits.takeTheirs(conflict),
      mine: () => this.#edits.keepMine(conflict),
      both: (text: string) => this.#edits.merge(conflict, text),
    };
    const card = this.#cards.get(conflict.id);
    if (card) card.conflict(conflict, answers);
    else this.#edits.lost(conflict);
  }

  #showRejected(): void {
    const fields = new Map<string, string[]>();
    for (const { message } of this.#client.rejected) {
      if (!("entity" in message) || message.entity !== ENTITY) continue;
      const names = "fields" in message ? message.fields.map(({ field }) => field) : [];
      fields.set(message.entity_id, [...(fields.get(message.entity_id) ?? []), ...names]);
    }
    for (const [id, card] of this.#cards) {
      const names = fields.get(id);
      card.rejected(names ? `Rejected: ${names.map(fieldInWords).join(", ")}.` : "");
    }
  }

  #whenLoaded(rows: readonly Row<JsonValue>[]): void {
    this.#loaded = true;
    this.#board.setAttribute("aria-busy", "false");
    this.#show(rows);
    this.#showRejected();
  }

  /** What was being written in a task that is gone by now is not lost. */
  #whenSynced(): void {
    this.#board.dataset.synced = "true";
    for (const id of this.#drafts.ids) {
      if (id === "" || this.#cards.has(id)) continue;
      const written = [...this.#drafts.of(id)].map(([field, { text }]) => [field, text]);
      const task = taskOf({ id, data: {}, version: 0, pending: false });
      this.#edits.gone(task, Object.fromEntries(written));
      this.#drafts.forget(id);
    }
    this.#showSummary();
  }

  #showSummary(): void {
    if (!this.#loaded) return;
    const known = this.#board.dataset.synced || this.#client.state === "offline";
    find(document, "#tasks-empty", HTMLElement).hidden = !known || this.#cards.size > 0;
    const count = this.#cards.size === 1 ? "1 task" : `${this.#cards.size} tasks`;
    const saved = savedInWords(this.#client.queue.length);
    setText(find(document, "#tasks-log", HTMLElement), `${count}, ${saved}.`);
  }

  #list(column: string): HTMLElement {
    return find(this.#board, `[data-column=${column}]`, HTMLElement);
  }
}
