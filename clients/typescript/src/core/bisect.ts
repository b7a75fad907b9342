/**
 * Finds a place in a list that is in order.
 *
 * Knows halves. Must not know what is in the list.
 */

/** Where the first is that passes, in a list where all after it pass, too; its length for none. */
export function firstIndex<T>(list: readonly T[], test: (item: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(list[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
