/**
 * What goes on in the client: its connection, its queue, what was rejected, and what is in conflict.
 *
 * Knows what the client tells of itself, and the labels of the schema. Must not know which entities
 * and forms there are.
 */

import type {
  Client,
  Conflict,
  OpenConflict,
  OpenConflicts,
  Pending,
  Rejected,
  Stop,
  Unreadable,
} from "../src/index.ts";
import { NO_SCHEMA, type SchemaFacts } from "./describe.ts";
import { find, setText, showText } from "./dom.ts";
import { factsInWords } from "./facts.ts";
import { KeyedList } from "./keyed.ts";
import {
  clashInWords,
  decidedInWords,
  labelOf,
  mergesInWords,
  rejectionInWords,
  valuesInWords,
  violationInWords,
  writeInWords,
} from "./words.ts";

/** So many conflicts are remembered. */
const MOST = 5;

/** What is used of a collection. */
export interface Observed {
  readonly entity: string;
  readonly snapshot: readonly unknown[];
  readonly unreadable?: readonly Unreadable[];
  subscribe(listener: () => void): Stop;
}

/** What is used of the open conflicts of a collection. */
export type OpenLog = Pick<OpenConflicts, "snapshot" | "subscribe">;

/** One conflict, and its number on this page. */
interface Numbered {
  readonly number: number;
  readonly conflict: Conflict;
}

/** A record that has something else than the schema says. */
interface Misfit extends Unreadable {
  readonly entity: string;
}

/** See the head of the file. */
export class Inspector {
  readonly #client: Client;
  readonly #collections: Observed[] = [];
  readonly #logs: OpenLog[] = [];
  readonly #queue = list<Pending>("#queue", "queued", ({ id }) => id, this.#fillQueued.bind(this));
  readonly #rejected = list<Rejected>(
    "#rejected",
    "rejected-write",
    ({ id }) => id,
    this.#fillRejected.bind(this),
  );
  readonly #open = list<OpenConflict>(
    "#open-conflicts",
    "past",
    ({ entity, number }) => `${entity} ${number}`,
    this.#fillOpen.bind(this),
  );
  readonly #log = list<Numbered>(
    "#conflicts",
    "past",
    ({ number }) => `${number}`,
    (element, { conflict }) => this.#fillConflict(element, conflict, true),
  );
  readonly #misfits = list<Misfit>(
    "#unreadable",
    "misfit",
    ({ entity, id }) => `${entity}/${id}`,
    this.#fillMisfit.bind(this),
  );
  #schema: SchemaFacts = NO_SCHEMA;
  #conflicts: readonly Numbered[] = [];
  #number = 0;
  #bytes: number | undefined;
  #measuring = false;

  constructor(client: Client) {
    this.#client = client;
    client.onState(() => this.#show());
    client.onQueue(() => this.#show());
    client.onRejected(() => this.#show());
    client.onConflict((conflict) => {
      const entry = { number: ++this.#number, conflict };
      this.#conflicts = [entry, ...this.#conflicts].slice(0, MOST);
      this.#show();
    });
    this.#show();
  }

  /**
   * Shows what there is to know of a collection, too.
   *
   * @param log its open conflicts, if its fields are merged.
   */
  watch(collection: Observed, log?: OpenLog): void {
    this.#collections.push(collection);
    collection.subscribe(() => this.#show());
    if (!log) return;
    this.#logs.push(log);
    log.subscribe(() => this.#show());
  }

  /** Fields are called as the schema says, from now on. */
  label(schema: SchemaFacts): void {
    this.#schema = schema;
    this.#show();
  }

  #show(): void {
    const { queue, rejected } = this.#client;
    const open = this.#logs.flatMap(({ snapshot }) => snapshot);
    const misfits = this.#collections.flatMap(({ entity, unreadable = [] }) =>
      unreadable.map((each) => ({ ...each, entity })),
    );
    this.#queue.show(queue);
    this.#rejected.show(rejected);
    this.#open.show(open);
    this.#log.show(this.#conflicts);
    this.#misfits.show(misfits);
    this.#note("#queue-none", queue);
    this.#note("#rejected-none", rejected);
    this.#note("#open-none", open);
    this.#note("#conflicts-none", this.#conflicts);
    find(document, "#misfits", HTMLElement).hidden = misfits.length === 0;
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

  #fillQueued(element: HTMLElement, { seq, message, since }: Pending): void {
    const time = new Date(since).toLocaleTimeString();
    setText(find(element, ".number", HTMLElement), `${seq ?? "–"}`);
    setText(find(element, ".write", HTMLElement), writeInWords(message, this.#schema));
    setText(find(element, ".since", HTMLElement), `since ${time}`);
  }

  #fillRejected(element: HTMLElement, rejected: Rejected): void {
    const { message, code, text, violations } = rejected;
    const what = writeInWords(message, this.#schema);
    const entity = "entity" in message ? message.entity : (message.writes[0]?.entity ?? "");
    const labelled = (field: string) => labelOf(this.#schema, entity, field);
    const said = violations.map((each) => violationInWords(each, labelled));
    setText(find(element, ".write", HTMLElement), what);
    setText(find(element, ".reason", HTMLElement), rejectionInWords(code, said.join(" ") || text));
    showText(find(element, ".merge", HTMLElement), mergesInWords(message, this.#schema));
    const button = (name: string, act: () => unknown) => {
      const found = find(element, name, HTMLButtonElement);
      found.onclick = act;
      found.setAttribute("aria-label", `${found.textContent}: ${what}`);
    };
    // What becomes of it shows in these lists.
    button(".retry", () => void rejected.retry().catch(() => {}));
    button(".discard", () => rejected.discard());
  }

  #fillOpen(element: HTMLElement, conflict: OpenConflict): void {
    const me = this.#client.info.clientId;
    const isParty = [conflict.stored, conflict.pushed].some(({ client_id }) => client_id === me);
    this.#fillConflict(element, conflict, isParty);
  }

  #fillConflict(element: HTMLElement, conflict: Conflict, isParty: boolean): void {
    const { entity, id, field } = conflict;
    const name = field === undefined ? "The record" : labelOf(this.#schema, entity, field);
    const words = clashInWords(conflict, name, isParty);
    setText(find(element, ".write", HTMLElement), `${entity}/${id}: ${words}`);
    setText(find(element, ".values", HTMLElement), valuesInWords(conflict, this.#schema));
    const decided = decidedInWords(conflict, this.#schema);
    showText(find(element, ".merge", HTMLElement), decided && `Merged: ${decided}.`);
  }

  #fillMisfit(element: HTMLElement, { entity, id, error }: Misfit): void {
    setText(find(element, ".write", HTMLElement), `${entity}/${id}`);
    setText(find(element, ".reason", HTMLElement), `${error.message}.`);
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
