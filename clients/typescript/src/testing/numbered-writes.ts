/**
 * The writes of clients, by their numbers: each takes effect once.
 *
 * Knows numbers and answers. Must not know what a write writes.
 */
import type * as m from "../messages/types.ts";
import { Refused } from "./entity-log.ts";

/** What writes. */
export type Mutation = m.Push | m.PushFields | m.Transaction;

/** What is known of a client. */
interface Known {
  lastSeq: number;
  /** What gives the right to its id, once it has numbered a write. */
  secret: string | undefined;
  readonly answers: Map<number, { content: string; messages: readonly m.ServerMessage[] }>;
}

const NONE: Known["answers"] = new Map();

/** All clients. */
export class NumberedWrites {
  readonly #clients = new Map<string, Known>();

  /**
   * A client has said who it is; returns the number of its last write.
   *
   * @throws Refused `client_id_taken`: it is another's.
   */
  hello({ client_id: id, secret, confirmed_seq = 0 }: m.Hello): number {
    const known = this.#known(id);
    if (known?.secret && known.secret !== secret) {
      throw new Refused("client_id_taken", `the id '${id}' is another client's`);
    }
    for (const seq of known?.answers.keys() ?? []) if (seq <= confirmed_seq) forget(known!, seq);
    return known?.lastSeq ?? 0;
  }

  /**
   * The answer that a write had already; undefined if it is new.
   *
   * @throws Refused `out_of_order` or `seq_reused`.
   */
  known(id: string, message: Mutation): readonly m.ServerMessage[] | undefined {
    const { seq } = message;
    const { lastSeq = 0, answers = NONE } = this.#known(id) ?? {};
    if (seq === undefined || seq === lastSeq + 1) return undefined;
    const answer = answers.get(seq);
    if (!answer) {
      throw new Refused("out_of_order", `seq: ${lastSeq + 1} expected`, { last_seq: lastSeq });
    }
    if (answer.content !== contentOf(message)) {
      throw new Refused("seq_reused", `seq: ${seq} was another write`);
    }
    const { request_id } = message;
    return answer.messages.map((each) => {
      if (each.type.endsWith("_ack")) {
        return { ...each, request_id, duplicate: true } as m.ServerMessage;
      }
      return each.type === "error" ? { ...each, request_id } : each;
    });
  }

  /** A write has been answered: its number is used up. */
  answered(
    id: string,
    secret: string | undefined,
    message: Mutation,
    messages: readonly m.ServerMessage[],
  ): void {
    if (message.seq === undefined) return;
    const known = this.#known(id) ?? { lastSeq: 0, secret, answers: new Map() };
    known.lastSeq = message.seq;
    known.answers.set(message.seq, { content: contentOf(message), messages });
    this.#clients.set(id, known);
  }

  #known(id = ""): Known | undefined {
    return this.#clients.get(id);
  }
}

function forget({ answers }: Known, seq: number): void {
  answers.delete(seq);
}

/** What a write says, but for how it was sent. */
function contentOf(message: Mutation): string {
  const marked = (_: string, each: unknown) => (typeof each === "bigint" ? `${each}n` : each);
  return JSON.stringify({ ...message, request_id: undefined }, marked);
}
