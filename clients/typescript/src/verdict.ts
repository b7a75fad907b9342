/**
 * What the end of a connection means.
 *
 * Knows close codes. Must not know the connection.
 */
import { RhtmxError } from "./errors.ts";
import { CLOSE_FINAL, CLOSE_RECONNECT, ERRORS } from "./messages/tables.ts";
import type { ErrorCode, Error as ErrorMessage } from "./messages/types.ts";

/**
 * Standard codes after which the same client would only fail again: protocol
 * error, unsupported or inconsistent data, policy, too big, extension missing
 * (RFC 6455, section 7.4.1).
 */
const FINAL: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009, 1010]);

/** Whether to connect again after a close code; without one the connection just broke. */
export function shouldReconnect(code: number | undefined): boolean {
  if (code === undefined) return true;
  if (code >= CLOSE_RECONNECT) return code < CLOSE_FINAL;
  return !FINAL.has(code);
}

/** The error for everything that waits when a connection ended for good. */
export function finalError(code: number, last: RhtmxError | undefined): RhtmxError {
  const known = (Object.keys(ERRORS) as ErrorCode[]).find((each) => ERRORS[each].close === code);
  const name = known ?? "closed";
  const reason = last?.code === name ? `: ${last.message}` : "";
  const words = `the server closed the connection for good (${code} ${name})`;
  return new RhtmxError(name, words + reason);
}

/** Whether an error of the wire only says that this client is older than the server. */
export function isUnknownType({ details }: RhtmxError): boolean {
  return typeof details === "object" && details !== null && "unknown_type" in details;
}

/** The error that a server's message reports. */
export function typedError(message: ErrorMessage): RhtmxError {
  const code = message.code ?? "internal";
  return new RhtmxError(code, message.message, {
    request_id: message.request_id,
    seq: message.seq,
    retryable: message.retryable ?? ERRORS[code].retryable,
    details: message.details,
  });
}
