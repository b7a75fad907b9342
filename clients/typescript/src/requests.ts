/**
 * Questions that wait for their answer.
 *
 * Knows which answer belongs to which question. Must not know the connection.
 * A question changes nothing, so it is asked again on the next connection.
 */
import type {
  Authenticate,
  Sync,
  SyncFields,
  ValidateField,
  ValidateForm,
} from "./messages/types.ts";
import type { Granularity, Log } from "./streams.ts";

/** What can be asked. */
export type Question = Authenticate | Sync | SyncFields | ValidateField | ValidateForm;

/** The questions of one client. */
export class Requests {
  readonly #questions = new Map<string, Question>();
  readonly #logs = new Map<string, Log[]>();

  /** The ids of all that wait. */
  get ids(): string[] {
    return [...this.#questions.keys()];
  }

  /** Adds one. */
  add(id: string, question: Question): void {
    this.#questions.set(id, question);
  }

  /** A connection begins: what had come of an answer comes again. Returns what to ask. */
  begin(): [id: string, question: Question][] {
    this.#logs.clear();
    return [...this.#questions];
  }

  /** Whether a sync of this entity waits, at any granularity. */
  syncing(entity: string): boolean {
    for (const each of this.#questions.values()) {
      if (isSync(each) && each.entity === entity) return true;
    }
    return false;
  }

  /** Keeps a change for every sync that asked for it. */
  receive(granularity: Granularity, log: Log): void {
    const type = granularity === "records" ? "sync" : "sync_fields";
    for (const [id, question] of this.#questions) {
      if (!isSync(question) || question.type !== type || question.entity !== log.entity) continue;
      const logs = this.#logs.get(id);
      if (logs) logs.push(log);
      else this.#logs.set(id, [log]);
    }
  }

  /** Forgets a question; returns the changes that came for it, or undefined if nobody asked. */
  settle(id: string | undefined): Log[] | undefined {
    if (id === undefined || !this.#questions.delete(id)) return undefined;
    const logs = this.#logs.get(id) ?? [];
    this.#logs.delete(id);
    return logs;
  }
}

function isSync(question: Question): question is Sync | SyncFields {
  return question.type === "sync" || question.type === "sync_fields";
}
