/**
 * Questions that wait for their answer.
 *
 * Knows which answer belongs to which question. Must not know the connection.
 * A question changes nothing, so it is asked again on the next connection, and
 * when the server was too busy for it.
 */

import type { Refusal } from "../errors.ts";
import { plain } from "../errors.ts";
import type { ServerMessage } from "../messages/types.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Question } from "./tab-messages.ts";

/** Questions under way on one connection, as long as the server does not say. */
const MOST = 64;

/** The questions of one client. */
export class Requests {
  /** The ids of those that were asked on this connection. */
  readonly asked = new Set<string>();
  readonly #questions = new Map<string, Question>();
  /** The ids of the others, in the order in which they came. */
  #line: string[] = [];
  /** There is a token among them: that waits for no answer, others may wait for it. */
  #urgent = false;
  #most = MOST;
  readonly #out: Outgoing;

  constructor(out: Outgoing) {
    this.#out = out;
  }

  /** Adds one. Tabs say again what they have asked. */
  add(id: string, question: Question): void {
    if (this.has(id)) return;
    this.#questions.set(id, { ...question, request_id: id });
    this.#line.push(id);
    this.#urgent ||= question.type === "authenticate";
  }

  /** Whether one that has no answer is such a one. */
  some(isOne: (question: Question) => boolean): boolean {
    return [...this.#questions.values()].some(isOne);
  }

  /** One that has no answer. */
  get(id = ""): Question | undefined {
    return this.#questions.get(id);
  }

  /** Refuses those that were not asked on this connection. */
  drop(isOne: (question: Question) => boolean, error: Refusal): void {
    for (const [id, question] of this.#questions)
      if (!this.asked.has(id) && isOne(question)) this.answered(id, undefined, error);
  }

  /** Whether it has no answer yet. */
  has(id = ""): boolean {
    return this.#questions.has(id);
  }

  /** A connection was welcomed; the server takes so many at a time on it. */
  begin(most: number): void {
    this.#most = most || MOST;
  }

  /** The connection ended: all are asked again. */
  lost(): void {
    this.asked.clear();
    this.#queue();
  }

  /** The server was too busy for one. */
  again(id: string): void {
    this.asked.delete(id);
    this.#queue();
  }

  /** Nobody waits any more for what a tab asked. */
  gone(tab: string): void {
    for (const id of this.#line) if (id.startsWith(`${tab}-`)) this.#questions.delete(id);
  }

  /** Asks what was not asked on this connection, `most` of it, as long as the server has room. */
  flush(most: number): void {
    const room = Math.min(most, this.#most - this.asked.size);
    if (!this.#line.length || (room < 1 && !this.#urgent)) return;
    let count = 0;
    this.#urgent = false;
    const line = this.#line;
    this.#line = [];
    for (const id of line) {
      const question = this.#questions.get(id);
      if (!question) continue;
      const isToken = question.type === "authenticate";
      if (count++ < (isToken ? most : room)) this.#ask(id, question);
      else {
        this.#line.push(id);
        this.#urgent ||= isToken;
      }
    }
  }

  /** An answer, or an error in its place, has come; false if nobody asked. */
  answered(id = "", answer?: ServerMessage, error?: Refusal): boolean {
    this.asked.delete(id);
    if (!this.#questions.delete(id)) return false;
    this.#out.tell({ type: "answer", id, answer, error });
    return true;
  }

  #ask(id: string, question: Question): void {
    this.asked.add(id);
    try {
      this.#out.send(question);
    } catch (error) {
      this.answered(id, undefined, plain(error));
    }
  }

  #queue(): void {
    this.#line = [...this.#questions.keys()].filter((id) => !this.asked.has(id));
  }
}
