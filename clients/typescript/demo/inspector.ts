/**
 * What goes on in the client: its connection, its queue, what was rejected.
 *
 * Knows what the client tells of itself. Must not know tasks or forms.
 */

import type { Client, Collection, Conflict, JsonValue, Pending, Rejected } from "../src/index.ts";
import { find, setText } from "./dom.ts";
import { factsInWords } from "./facts.ts";
import { KeyedList } from "./keyed.ts";
import { conflictInWords, inWords, rejectionInWords, writeInWords } from "./words.ts";

/** So many conflicts are remembered. */
const MOST = 5;

/** One conflict, and its number on this page. */
interface Numbered {
  readonly number: number;
  readonly conflict: Conflict;
}

/** See the head of the file. */
export class Inspector {
  readonly #client: Client;
  readonly #collections: readonly Collection<JsonValue>[];
  readonly #queue = list<Pending>("#queue", "queued", ({ id }) => id, fillQueued);
  readonly #rejected = list<Rejected>("#rejected", "rejected-write", ({ id }) => id, fillRejected);
  readonly #log = list<Numbered>("#conflicts", "past", ({ number }) => `${number}`, fillConflict);
  #conflicts: readonly Numbered[] = [];
  #number = 0;
  #bytes: number | undefined;
  #measuring = false;

  constructor(client: Client, collections: readonly Collection<JsonValue>[]) {
    this.#client = client;
    this.#collections = collections;
    client.onState(() => this.#show());
    client.onQueue(() => this.#show());
    client.onRejected(() => this.#show());
    for (const each of collections) each.subscribe(() => this.#show());
    client.onConflict((conflict) => {
      const entry = { number: ++this.#number, conflict };
      this.#conflicts = [entry, ...this.#conflicts].slice(0, MOST);
      this.#show();
    });
    this.#show();
  }

  #show(): void {
    this.#queue.show(this.#client.queue);
    this.#rejected.show(this.#client.rejected);
    this.#log.show(this.#conflicts);
    this.#note("#queue-none", this.#client.queue);
    this.#note("#rejected-none", this.#client.rejected);
    this.#note("#conflicts-none", this.#conflicts);
    this.#showFacts();
    void this.#measure();
  }

  #note(selector: string, things: readonly unknown[]): void {
    find(document, selector, HTMLElement).hidden = things.length > 0;
  }

  /** Asks how much is kept, one question at a time. */
  async #measure(): Promise<void> {
    if (this.#measuring) return;
    this.#measuring = true;
    // Not told to a page without TLS, unless it is of this machine.
    const { usage } = (await navigator.storage?.estimate()) ?? {};
    this.#measuring = false;
    this.#bytes = usage;
    this.#showFacts();
  }

  #showFacts(): void {
    const { state, info } = this.#client;
    const records = this.#collections.reduce((sum, { snapshot }) => sum + snapshot.length, 0);
    const facts = factsInWords({ ...info, state, records, bytes: this.#bytes });
    for (const [name, words] of Object.entries(facts)) {
      setText(find(document, `[data-fact=${name}]`, HTMLElement), words);
    }
  }
}

function list<T>(
  selector: string,
  template: string,
  key: (thing: T) => string,
  fill: (element: HTMLElement, thing: T) => void,
): KeyedList<T> {
  return new KeyedList(find(document, selector, HTMLElement), template, key, fill);
}

function fillQueued(element: HTMLElement, { seq, message, since }: Pending): void {
  const time = new Date(since).toLocaleTimeString();
  setText(find(element, ".number", HTMLElement), `${seq ?? "–"}`);
  setText(find(element, ".write", HTMLElement), writeInWords(message));
  setText(find(element, ".since", HTMLElement), `since ${time}`);
}

function fillRejected(element: HTMLElement, rejected: Rejected): void {
  const { message, code, text } = rejected;
  const what = writeInWords(message);
  setText(find(element, ".write", HTMLElement), what);
  setText(find(element, ".reason", HTMLElement), rejectionInWords(code, text));
  const button = (name: string, act: () => unknown) => {
    const found = find(element, name, HTMLButtonElement);
    found.onclick = act;
    found.setAttribute("aria-label", `${found.textContent}: ${what}`);
  };
  // What becomes of it shows in these lists.
  button(".retry", () => void rejected.retry().catch(() => {}));
  button(".discard", () => rejected.discard());
}

function fillConflict(element: HTMLElement, { conflict }: Numbered): void {
  const { entity, id, field = "", mine, theirs } = conflict;
  const values = `Yours: ${inWords(field, mine)}. Theirs: ${inWords(field, theirs)}.`;
  setText(element, `${entity}/${id}: ${conflictInWords(conflict)} ${values}`);
}
