/**
 * The records of one entity after the other on the page, in a table.
 *
 * Knows the elements of the table. Must not know how a record is changed, nor the connection.
 */

import type { Row, Stop } from "../src/index.ts";
import type { MessageFacts } from "./describe.ts";
import { element, find, setText } from "./dom.ts";
import { cellsOf, found } from "./records.ts";

/** So many rows are drawn. */
const MOST = 200;

/** What is used of the collection of an entity. */
export interface Records {
  readonly snapshot: readonly Row<unknown>[];
  readonly synced: Promise<void>;
  subscribe(listener: () => void): Stop;
}

/** What the table needs of the program. */
export interface Source {
  /** The records of an entity. */
  open(entity: MessageFacts): Records;
  /** A record is to be changed. */
  edit(entity: MessageFacts, row: Row<unknown>): void;
}

/** See the head of the file. */
export class RecordsView {
  readonly #source: Source;
  readonly #choice = find(document, "#entity", HTMLSelectElement);
  readonly #wanted = find(document, "#wanted", HTMLInputElement);
  #entities: readonly MessageFacts[] = [];
  #records: Records | undefined;
  #stop: Stop = () => {};
  #state = "";

  constructor(source: Source) {
    this.#source = source;
    this.#choice.addEventListener("change", () => this.#open());
    this.#wanted.addEventListener("input", () => this.#show());
    const form = find(document, "#choose", HTMLFormElement);
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** Shows the records of these entities; `problem` says why there are none to choose from. */
  offer(entities: readonly MessageFacts[], problem: string): void {
    this.#entities = entities;
    const options = entities.map(({ name }) => new Option(name, name));
    this.#choice.replaceChildren(...options);
    find(document, "#choose", HTMLElement).hidden = entities.length === 0;
    if (entities.length > 0) this.#open();
    else this.#say(problem || "The schema has no entities.");
  }

  get #entity(): MessageFacts | undefined {
    return this.#entities.find(({ name }) => name === this.#choice.value);
  }

  #open(): void {
    const entity = this.#entity;
    if (!entity) return;
    this.#stop();
    const records = this.#source.open(entity);
    this.#records = records;
    this.#state = "One moment…";
    const say = (state: string) => {
      if (this.#records !== records) return;
      this.#state = state;
      this.#show();
    };
    records.synced.then(
      () => say(""),
      (error: Error) => say(`These records cannot be read: ${error.message}.`),
    );
    const head = find(document, ".records thead tr", HTMLElement);
    const titles = ["Id", "Change", ...entity.fields.map(({ label }) => label)];
    head.replaceChildren(...titles.map((title) => heading("col", title)));
    this.#stop = records.subscribe(() => this.#show());
    this.#show();
  }

  #show(): void {
    const entity = this.#entity;
    if (!entity || !this.#records) return;
    const all = this.#records.snapshot;
    const rows = found(all, entity.fields, this.#wanted.value);
    const body = find(document, ".records tbody", HTMLElement);
    const focused = body.querySelector("button:focus")?.closest("tr")?.dataset.id;
    body.replaceChildren(...rows.slice(0, MOST).map((row) => this.#row(entity, row)));
    // Rows are made anew: the keyboard stays at the record where it was.
    const again = [...body.children].find(
      (each) => each instanceof HTMLElement && each.dataset.id === focused,
    );
    if (focused !== undefined) again?.querySelector("button")?.focus();
    find(document, ".records", HTMLElement).hidden = rows.length === 0;
    this.#say(this.#state || countInWords(all.length, rows.length));
  }

  #row(entity: MessageFacts, row: Row<unknown>): HTMLElement {
    const line = element("tr", "", heading("row", row.id));
    line.dataset.id = row.id;
    line.dataset.pending = String(row.pending);
    const button = element("button", "change", "Change");
    button.setAttribute("type", "button");
    button.setAttribute("aria-label", `Change: ${row.id}`);
    button.addEventListener("click", () => this.#source.edit(entity, row));
    line.append(element("td", "", button));
    const cells = cellsOf(entity.fields, row.data);
    line.append(...cells.map((text) => element("td", "", element("span", "value", text))));
    return line;
  }

  #say(words: string): void {
    setText(find(document, "#records-count", HTMLElement), words);
  }
}

function heading(scope: string, text: string): HTMLElement {
  const made = element("th", "", text);
  made.setAttribute("scope", scope);
  return made;
}

/** How many records there are, and how many of them are shown. */
export function countInWords(all: number, shown: number): string {
  const records = all === 1 ? "1 record" : `${all} records`;
  if (all === 0) return "No records.";
  const part = shown === all ? "" : `, ${shown} with what you look for`;
  return `${records}${part}${shown > MOST ? `; the first ${MOST} are shown` : ""}.`;
}
