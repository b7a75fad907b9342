/**
 * Questions that wait for their answer.
 *
 * Knows which answer belongs to which question. Must not know the connection.
 * A question changes nothing, so it is asked again on the next connection, and
 * when the server was too busy for it.
 */
import { plain, RhtmxError } from "./errors.ts";
import { checkFromClient } from "./wire/index.ts";
import type { Refusal } from "./errors.ts";
import type { Authenticate, ServerMessage, ValidateField, ValidateForm } from "./messages/types.ts";
import type { Core } from "./streams.ts";

/** Bytes in a token: see `rhtmx.wire.limits`. */
const MAX_TOKEN = 4096;

/**
 * Refuses a token that no server takes, before it travels.
 *
 * @throws RhtmxError `bad_message`: it is too large, or no text that can be sent.
 */
export function checkToken(token?: string): void {
  if (token != null) checkFromClient({ type: "authenticate", token });
  const { length } = new TextEncoder().encode(token);
  if (length <= MAX_TOKEN) return;
  throw new RhtmxError("bad_message", `token: ${MAX_TOKEN} bytes at most, it has ${length}`);
}

/** What can be asked. */
export type Question = Authenticate | ValidateField | ValidateForm;

/** The questions of one client. */
export class Requests {
  /** The ids of those that were asked on this connection. */
  readonly asked = new Set<string>();
  readonly #questions = new Map<string, Question>();
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Adds one. Tabs say again what they have asked. */
  add(id: string, question: Question): void {
    if (!this.has(id)) this.#questions.set(id, { ...question, request_id: id });
  }

  /** Whether it has no answer yet. */
  has(id: string): boolean {
    return this.#questions.has(id);
  }

  /** Asks what was not asked on this connection, `most` of it. */
  flush(most: number): void {
    if (this.asked.size >= this.#questions.size) return;
    for (const [id, question] of this.#questions) {
      if (this.asked.has(id) || most-- < 1) continue;
      this.asked.add(id);
      try {
        this.#core.send(question);
      } catch (error) {
        this.answered(id, undefined, plain(error));
      }
    }
  }

  /** An answer, or an error in its place, has come; false if nobody asked. */
  answered(id = "", answer?: ServerMessage, error?: Refusal): boolean {
    this.asked.delete(id);
    if (!this.#questions.delete(id)) return false;
    this.#core.tell({ type: "answer", id, answer, error });
    return true;
  }
}
