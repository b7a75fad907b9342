/**
 * Writes in the order in which they take effect, while they come, get their numbers, and go.
 *
 * Knows numbers. Must not know what a write does.
 *
 * A queue may be long, and each of its writes changes several times. So the order is not made each
 * time that somebody asks, but kept beside the map: a write that comes is the last one, the one
 * that is numbered is the first without a number, and the one that is answered is the first. What
 * is none of these is put in order anew, once somebody asks.
 */
/** What tells the place of a write. */
interface Place {
  readonly seq?: number | undefined;
  readonly settled?: object | undefined;
}

/** What of a write is looked at. */
interface Numbered extends Place {
  readonly message: object;
}

interface Order<W> {
  readonly list: W[];
  /** So many of the first do what they did when somebody asked for that last. */
  same: number;
}

/** By the map: of those of which somebody has asked for the order. */
const orders = new WeakMap<object, Order<never>>();

/** In the order in which they take effect: settled ones, then by number, then those without. */
export function bySeq(a: Place, b: Place): number {
  return +!a.settled - +!b.settled || (a.seq ?? Infinity) - (b.seq ?? Infinity) || 0;
}

function orderOf<W extends Numbered>(writes: ReadonlyMap<string, W>): Order<W> {
  const known: Order<W> | undefined = orders.get(writes);
  const order = known ?? { list: [...writes.values()].sort(bySeq), same: 0 };
  if (!known) orders.set(writes, order as Order<never>);
  return order;
}

/** All of them in order. It changes with them. */
export function inOrder<W extends Numbered>(writes: ReadonlyMap<string, W>): readonly W[] {
  return orderOf(writes).list;
}

/** Where the first is, of those in order, that has this place or a later one. */
export function placeOf(list: readonly Place[], place: Place): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bySeq(list[middle]!, place) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of the first do what they did when this was asked last; for one who asks. */
export function sameSince(writes: ReadonlyMap<string, Numbered>): number {
  const order = orderOf(writes);
  const { same } = order;
  order.same = order.list.length;
  return same;
}

/** Puts a write in the place of the one of that id, or takes that away. */
export function put<W extends Numbered>(writes: Map<string, W>, id: string, write?: W): void {
  const before = writes.get(id);
  if (write) writes.set(id, write);
  else writes.delete(id);
  const order: Order<W> | undefined = orders.get(writes);
  if (!order || !(before ?? write)) return;
  const { list } = order;
  const at = before ? list.indexOf(before, placeOf(list, before)) : list.length;
  if (!write) list.splice(at, 1);
  else if (fits(list, at, write, before)) list[at] = write;
  else return void orders.delete(writes);
  if (before?.message !== write?.message || before?.settled !== write?.settled)
    order.same = Math.min(order.same, at);
}

/** Whether a write can stand there; those that are equal are in the order in which they came. */
function fits<W extends Numbered>(list: W[], at: number, write: W, before: W | undefined): boolean {
  const [last, next] = [list[at - 1], list[at + 1]];
  if (!before) return !last || bySeq(last, write) <= 0;
  if (!bySeq(before, write)) return true;
  return (!last || bySeq(last, write) < 0) && (!next || bySeq(write, next) < 0);
}
