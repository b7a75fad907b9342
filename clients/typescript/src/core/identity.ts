/**
 * Who a client is to the server, once the server takes it for another one.
 *
 * Knows how an id is made. Must not know the connection, the queue or the store.
 */

/** What is said of a write under an id that turned out to be another's. */
export const UNKNOWN =
  "this client goes on under a new id; whether this write took effect is not known: look, and retry it if not";

/** Another id. `random`: a number from 0 to 1, 1 excluded, each time it is called. */
export function newId(random: () => number): string {
  const digits = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return digits() + digits() + digits() + digits();
}
