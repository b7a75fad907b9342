/**
 * What the end of a connection means, and what the rejection of a write.
 *
 * Knows codes. Must not know the connection, nor the queue.
 */

import type { Refusal } from "../errors.ts";
import { CLOSE_FINAL, CLOSE_RECONNECT, ERRORS } from "../messages/tables.ts";
import type { ErrorCode, Error as Failure } from "../messages/types.ts";

/**
 * Standard codes after which the same client would only fail again: protocol
 * error, unsupported or inconsistent data, policy, too big, extension missing
 * (RFC 6455, section 7.4.1).
 */
const FINAL = [1002, 1003, 1007, 1008, 1009, 1010];

/** Whether to connect again after a close code; without one the connection just broke. */
export function shouldReconnect(code = 0): boolean {
  return code >= CLOSE_RECONNECT ? code < CLOSE_FINAL : !FINAL.includes(code);
}

/** The error for everything that waits when a connection ended for good. */
export function finalError(code: number, last: Refusal | undefined): Refusal {
  const known = (Object.keys(ERRORS) as ErrorCode[]).find((each) => ERRORS[each].close === code);
  const name = known ?? "closed";
  const reason = last?.code === name ? `: ${last.message}` : "";
  const message = `the server closed the connection for good (${code} ${name})${reason}`;
  return { code: name, message, details: null };
}

/** Whether a rejection is about the moment, not about what was asked: it is asked again. */
export function isBusy(error: Failure): boolean {
  const { code = "internal" } = error;
  if (ERRORS[code]?.retryable === undefined) return isRetryable(error);
  return code === "rate_limited" || code === "too_many_requests" || code === "shutting_down";
}

/**
 * Whether the same may be taken later, as the server says it, or else as the code does. Of
 * a code that is not known, a time to wait says it too.
 */
function isRetryable({ code = "internal", retryable, retry_after }: Failure): boolean {
  return retryable ?? ERRORS[code]?.retryable ?? retry_after !== undefined;
}

/** Whether a rejected `hello` may be taken later; `internal`, too: a function of the app failed. */
export function mayPass(error: Failure): boolean {
  const close = ERRORS[error.code ?? "bad_message"]?.close;
  return isRetryable(error) || (!!close && shouldReconnect(close));
}

/**
 * Whether a connection ended because one message was too large: that is about the
 * message, not about the client. 1009 is the standard's word for it.
 */
export function isTooLarge(code?: number): boolean {
  return code === ERRORS.too_large.close || code === 1009;
}

/**
 * What is to be done with a rejected write.
 *
 * - `retry`: it, and all that follow it, after a while;
 * - `reauthenticate`: the same, with a fresh token;
 * - `reorder`: the server lacks what came before;
 * - `renew`: its number was used for something else, it needs another one;
 * - `reject`: it is rejected for good.
 */
export type Reaction = "retry" | "reauthenticate" | "reorder" | "renew" | "reject";

/** What becomes of the write with the number `seq`, as this error says. */
export function reactionTo(error: Failure, seq: number): Reaction {
  const code = error.code ?? "internal";
  if (code === "unauthenticated") return "reauthenticate";
  if (code === "seq_reused") return "renew";
  if (code === "out_of_order" && lastSeq(error) < seq) return "reorder";
  return isRetryable(error) ? "retry" : "reject";
}

/** The last number that the server knows; infinite if it does not say. */
export function lastSeq({ details }: Failure): number {
  return (details as { last_seq?: number } | null)?.last_seq ?? Infinity;
}
