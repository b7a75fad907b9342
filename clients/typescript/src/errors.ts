/**
 * The one error type of the project.
 *
 * Knows the error codes of the schema. Must not know how an error travels:
 * the wire throws it, the session rejects a request with it.
 */
import type { ErrorCode, JsonValue, Open } from "./messages/types.ts";

/** What is wrong with one field of a write. */
export interface Violation {
  /** The top-level key; empty for the record as a whole. */
  readonly field: string;
  /** A word of the application for it, by which a program can tell it; may be empty. */
  readonly code: string;
  /** Why, in words for the user. */
  readonly message: string;
  /** What the server's check adds. */
  readonly metadata?: JsonValue;
  /** Of a transaction, which of its writes, from 0. */
  readonly write?: number;
}

/** Why something was rejected, as plain data. */
export interface Refusal {
  readonly code?: Open<ErrorCode | "closed"> | undefined;
  readonly message: string;
  readonly details: JsonValue;
  /** Wait this long before asking again, in milliseconds. */
  readonly retry_after?: number | undefined;
}

/** What an error may carry beside its code and its words. */
export interface ErrorContext {
  /** The request that failed, where it had an id. */
  readonly request_id?: string | undefined;
  /** The mutation that failed, where it had a number. */
  readonly seq?: number | undefined;
  /** The same request may succeed later. */
  readonly retryable?: boolean | undefined;
  /** What the code adds. */
  readonly details?: JsonValue | undefined;
  /** Wait this long before asking again, in milliseconds. */
  readonly retry_after?: number | undefined;
}

/**
 * Something that was asked for could not be done.
 *
 * @example
 * throw new RhtmxError("unknown_form", "no form 'sign-up': is it registered?");
 */
export class RhtmxError extends Error {
  /**
   * What kind of failure; `closed` is the client's own: nothing more can be asked. A newer
   * server may say one that is not in `ERRORS`: `retryable` tells what it means.
   */
  readonly code!: Open<ErrorCode | "closed">;
  /** The request that failed, where it had an id. */
  readonly request_id!: string | undefined;
  /** The mutation that failed, where it had a number. */
  readonly seq!: number | undefined;
  /** The same request may succeed later. */
  readonly retryable!: boolean;
  /** What the code adds; null for nothing. */
  readonly details!: JsonValue;
  /** Wait this long before asking again, in milliseconds, where the server says so. */
  readonly retryAfter!: number | undefined;

  constructor(code: Open<ErrorCode | "closed">, message: string, context: ErrorContext = {}) {
    super(message);
    const { request_id, seq, retryable = false, details = null, retry_after: retryAfter } = context;
    const name = "RhtmxError";
    Object.assign(this, { name, code, request_id, seq, retryable, details, retryAfter });
  }

  /**
   * The fields that are wrong, each with its words; none if the error is about no field. Of a
   * transaction, those of all of its writes.
   *
   * @example
   * const details = { violations: [{ field: "end", code: "", message: "is missing" }] };
   * const error = new RhtmxError("invalid", "is missing", { details });
   * for (const { field, message } of error.violations) console.log(field, message);
   */
  get violations(): readonly Violation[] {
    return violationsIn(this);
  }
}

/** The fields that are wrong, as what was rejected says. */
export function violationsIn(rejected: { readonly details?: JsonValue }): readonly Violation[] {
  const { violations = [], writes = [] } = Object(rejected.details);
  const found = [violations, writes].map((each) => (Array.isArray(each) ? each : []));
  const ofWrites = found[1]!.flatMap((each) =>
    violationsIn(Object(each)).map((one) => ({ ...one, write: each.index })),
  );
  return [...found[0]!, ...ofWrites];
}

/** What was wrong, as data that can be cloned; thrown on, if it is none of ours. */
export function plain(error: unknown): Refusal {
  if (!(error instanceof RhtmxError)) throw error;
  const { code, message, details } = error;
  return { code, message, details };
}

/** The error that such data stands for. */
export function typed(refusal: Refusal): RhtmxError {
  if (refusal instanceof RhtmxError) return refusal;
  return new RhtmxError(refusal.code ?? "internal", refusal.message, refusal);
}
