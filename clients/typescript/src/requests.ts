/**
 * Questions that wait for their answer.
 *
 * Knows which answer belongs to which question. Must not know the connection.
 * A question changes nothing, so it is asked again on the next connection.
 */
import { plain } from "./errors.ts";
import type { Refusal } from "./errors.ts";
import type { Authenticate, ServerMessage, ValidateField, ValidateForm } from "./messages/types.ts";
import type { Core } from "./streams.ts";

/** What can be asked. */
export type Question = Authenticate | ValidateField | ValidateForm;

/** The questions of one client. */
export class Requests {
  readonly #questions = new Map<string, Question>();
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Adds one, and asks it if there is a connection. Tabs say again what they have asked. */
  add(id: string, question: Question, connected: boolean): void {
    if (this.#questions.has(id)) return;
    const asked = { ...question, request_id: id };
    this.#questions.set(id, asked);
    if (connected) this.#ask(id, asked);
  }

  /** A connection was welcomed. */
  begin(): void {
    for (const [id, question] of this.#questions) this.#ask(id, question);
  }

  /** An answer, or an error in its place, has come; false if nobody asked. */
  answered(id: string | undefined, answer?: ServerMessage, error?: Refusal): boolean {
    if (!id || !this.#questions.delete(id)) return false;
    this.#core.tell({ type: "answer", id, answer, error });
    return true;
  }

  #ask(id: string, question: Question): void {
    try {
      this.#core.send(question);
    } catch (error) {
      this.answered(id, undefined, plain(error));
    }
  }
}
