/**
 * Ids for new records: UUIDs of version 7 (RFC 9562, 5.7), which sort by the time of their making.
 *
 * Knows their layout. Must not know the clock, nor where randomness comes from.
 */

/**
 * A new id.
 *
 * @param now - milliseconds since 1970.
 * @param random - 32 hexadecimal digits.
 *
 * @example
 * uuid7(0, "f".repeat(32)); // "00000000-0000-7fff-bfff-ffffffffffff"
 */
export function uuid7(now: number, random: string): string {
  const time = now.toString(16).padStart(12, "0");
  const variant = "89ab"[Number.parseInt(random[3]!, 16) % 4];
  return [
    time.slice(0, 8),
    time.slice(8),
    `7${random.slice(0, 3)}`,
    variant + random.slice(4, 7),
    random.slice(8, 20),
  ].join("-");
}
