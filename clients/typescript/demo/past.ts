/**
 * Who wrote which field of a task, and a way to take the last change back: the part of a card
 * that is asked for when it is opened.
 *
 * Knows its elements. Must not know how that is found out.
 */

import { find, instantiate, setText, showText } from "../inspector/dom.ts";
import type { FieldAuthor } from "../src/index.ts";
import { toDate } from "../src/wire/time.ts";
import { fieldInWords } from "./task.ts";
import { authorInWords } from "./words.ts";

/** What is known of the past of a task. */
export interface TaskPast {
  /** Who wrote what it has, field by field. */
  readonly authors: readonly FieldAuthor[];
  /** Takes the last change back; undefined if that is the one that made the task. */
  readonly undo?: (() => void) | undefined;
}

const WHEN = new Intl.DateTimeFormat([], { dateStyle: "short", timeStyle: "short" });

/** See the head of the file. */
export class Past {
  readonly #details: HTMLDetailsElement;
  readonly #ask: () => Promise<TaskPast>;
  readonly #me: () => string;
  #version = 0;
  #undo: (() => void) | undefined;

  /**
   * @param ask finds it out.
   * @param me the id of this client, for what is "yours".
   */
  constructor(details: HTMLDetailsElement, ask: () => Promise<TaskPast>, me: () => string) {
    this.#details = details;
    this.#ask = ask;
    this.#me = me;
    details.addEventListener("toggle", () => this.#look());
    this.#button.addEventListener("click", () => this.#undo?.());
  }

  /** The task has this version now: what is shown may be another past. */
  show(version: number): void {
    if (version === this.#version) return;
    this.#version = version;
    this.#look();
  }

  get #button(): HTMLButtonElement {
    return find(this.#details, ".undo", HTMLButtonElement);
  }

  #look(): void {
    if (!this.#details.open) return;
    const version = this.#version;
    const state = find(this.#details, ".asking", HTMLElement);
    showText(state, "One moment…");
    this.#ask().then(
      (past) => {
        if (version !== this.#version) return;
        showText(state, "");
        this.#fill(past);
      },
      (error: Error) => showText(state, `Not known: ${error.message}.`),
    );
  }

  #fill({ authors, undo }: TaskPast): void {
    this.#undo = undo;
    this.#button.hidden = !undo;
    const lines = authors.map((each) => {
      const line = instantiate("author");
      setText(find(line, ".what", HTMLElement), fieldInWords(each.field));
      setText(find(line, ".who", HTMLElement), authorInWords(each, this.#me()));
      const time = find(line, "time", HTMLTimeElement);
      time.dateTime = each.timestamp ?? "";
      const moment = toDate(each.timestamp);
      setText(time, moment ? WHEN.format(moment) : "");
      return line;
    });
    find(this.#details, "ul", HTMLElement).replaceChildren(...lines);
  }
}
