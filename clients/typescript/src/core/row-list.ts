/**
 * Lists of rows by their ids, each made of the one before by what has changed.
 *
 * Knows ids, and how one list follows from another. Must not know what is in a row.
 *
 * A list is an array that never changes: what was shown stays as it was. To copy all of a long one
 * for each change would take longer than all else, and most of those who are told of it look at a
 * few rows, or at none. So rows are kept in chunks, of which a change copies one, and of several
 * chunks an array is made once somebody looks into it. Whoever does something to an array that was
 * given out does it to that array alone: nothing here reads from one.
 *
 * What follows from a list, such as the rows of a part, asks what has changed since the list that
 * it was made of before.
 */
/** What is known of a row here. */
interface Identified {
  readonly id: string;
}

/** The rows that are others now, by id; undefined for those that are gone. */
type Changes<R> = ReadonlyMap<string, R | undefined>;

/** Rows in order, none of them empty. A chunk is never changed. */
type Chunks<R> = readonly (readonly R[])[];

/** No rows: what everybody sees until there are some, so that nobody takes it for a change. */
export const NOTHING: readonly never[] = Object.freeze([]);

/** The most rows in a chunk: to copy them takes some microseconds. One of more is cut up. */
const CHUNK = 4_096;
/** So many lists back it is known what has changed since; and so many changes at once. */
const STEPS = 16;
const MOST = 1_000;

/** What looks into an array beside reading from it. */
const LOOKS = [
  "has",
  "ownKeys",
  "getOwnPropertyDescriptor",
  "defineProperty",
  "deleteProperty",
  "set",
  "preventExtensions",
] as const;

/** What Node asks for to print something: of a proxy it asks what is behind it. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom") as never;

/** Of which history a list is, which one of it, and its rows. */
const made = new WeakMap<object, readonly [history: object, number: number, Chunks<never>]>();

/** Where the first is that passes, in a list where all after it pass, too; its length for none. */
function firstIndex<T>(list: readonly T[], test: (item: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(list[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Where a row is, or would be. */
function placeOf(rows: readonly Identified[], id: string): number {
  return firstIndex(rows, (row) => row.id >= id);
}

/** The chunk where a row is, or would be. */
function chunkOf(chunks: Chunks<Identified>, id: string): number {
  const at = firstIndex(chunks, (chunk) => chunk.at(-1)!.id >= id);
  return Math.max(0, Math.min(at, chunks.length - 1));
}

/** The row with that id. */
function rowOf<R extends Identified>(rows: readonly R[], id: string): R | undefined {
  const row = rows[placeOf(rows, id)];
  return row?.id === id ? row : undefined;
}

/** The rows after some changes: the same chunks, if nothing is another one. */
function patched<R extends Identified>(chunks: Chunks<R>, changes: Changes<R>): Chunks<R> {
  /** What is another one, by chunk. */
  const news = new Map<number, Map<string, R | undefined>>();
  for (const [id, row] of changes) {
    const at = chunkOf(chunks, id);
    if (row === rowOf(chunks[at] ?? NOTHING, id)) continue;
    const each = news.get(at) ?? new Map();
    news.set(at, each.set(id, row));
  }
  if (!news.size) return chunks;
  const next = [...chunks];
  for (const [at, each] of news) next[at] = merged(next[at] ?? NOTHING, each);
  const isSized = next.every((rows, at) => rows.length === chunks[at]?.length);
  return isSized ? next : joined(next.flatMap(cut));
}

/** The rows of a chunk after some changes. */
function merged<R extends Identified>(rows: readonly R[], changes: Changes<R>): readonly R[] {
  const news = [...changes];
  if (news.every(([id, row]) => row && rowOf(rows, id))) {
    const all = rows.slice();
    for (const [id, row] of news) all[placeOf(rows, id)] = row!;
    return all;
  }
  const all: R[] = [];
  let from = 0;
  for (const [id, row] of news.sort(([one], [other]) => (one < other ? -1 : 1))) {
    while (from < rows.length && rows[from]!.id < id) all.push(rows[from++]!);
    if (rows[from]?.id === id) from += 1;
    if (row) all.push(row);
  }
  while (from < rows.length) all.push(rows[from++]!);
  return all;
}

/** No two beside each other that fit into one: of few rows there is one chunk. */
function joined<R>(chunks: Chunks<R>): Chunks<R> {
  const all: (readonly R[])[] = [];
  for (const rows of chunks) {
    const last = all.at(-1);
    if (last && last.length + rows.length <= CHUNK) all.splice(-1, 1, [...last, ...rows]);
    else all.push(rows);
  }
  return all;
}

/** Chunks of what may be too much for one, or nothing. */
function cut<R>(rows: readonly R[]): Chunks<R> {
  if (rows.length <= CHUNK) return rows.length ? [rows] : [];
  const half = rows.length >> 1;
  return [...cut(rows.slice(0, half)), ...cut(rows.slice(half))];
}

/** The chunks of a list. */
function chunksOf<R>(rows: readonly R[]): Chunks<R> {
  return (made.get(rows)?.[2] as Chunks<R> | undefined) ?? cut(rows);
}

/**
 * An array of these, which of several chunks is made once somebody looks into it. It is an array
 * for all of the language; only what clones it in the engine itself, as `structuredClone` does,
 * needs a copy: `[...rows]`.
 */
function arrayOf<R>(chunks: Chunks<R>): readonly R[] {
  if (chunks.length < 2) return chunks[0]?.slice() ?? NOTHING;
  const all: R[] = [];
  let isMade = false;
  const look = () => {
    if (!isMade) {
      isMade = true;
      delete all[INSPECT];
      for (const chunk of chunks) all.push(...chunk);
    }
    return all;
  };
  Object.defineProperty(all, INSPECT, { value: look, configurable: true });
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const get = (_: unknown, key: keyof R[]) => {
    if (key === "length" && !isMade) return length;
    const value: unknown = look()[key];
    // Of the array behind it a method reads as fast as of any other.
    return typeof value === "function" && key !== ("constructor" as never)
      ? value.bind(all)
      : value;
  };
  const rest = LOOKS.map((name) => [
    name,
    (_: unknown, ...what: [never, never]) => Reflect[name](look(), ...what),
  ]);
  return new Proxy(all, { ...Object.fromEntries(rest), get });
}

/** Lists, each made of the one before. */
export class History<R extends Identified> {
  /** The last one. */
  rows: readonly R[];
  #chunks: Chunks<R>;
  /** What made the last ones. */
  #steps: Changes<R>[] = [];
  /** The number of the list before these. */
  #first = 0;

  /** @param rows the first one. */
  constructor(rows: readonly R[] = NOTHING) {
    this.rows = rows;
    this.#chunks = chunksOf(rows);
  }

  /** The row with that id, in the last list. */
  find(id: string): R | undefined {
    return rowOf(this.#chunks[chunkOf(this.#chunks, id)] ?? NOTHING, id);
  }

  /** The next list, if anything is another one in it. */
  change(changes: Changes<R>): void {
    const chunks = patched(this.#chunks, changes);
    if (chunks !== this.#chunks) this.#next(chunks, changes, changes.size > MOST ? 0 : STEPS);
  }

  /** The next list is this one, whatever was before; or the same if the same is in it. */
  begin(rows: readonly R[]): void {
    let at = 0;
    const isNext = (row: R) => row === rows[at++];
    if (this.#chunks.every((chunk) => chunk.every(isNext)) && at === rows.length) return;
    this.#next(cut(rows), new Map(), 0);
  }

  #next(chunks: Chunks<R>, changes: Changes<R>, steps: number): void {
    this.#chunks = chunks;
    this.rows = arrayOf(chunks);
    this.#steps.push(changes);
    while (this.#steps.length > steps) {
      this.#steps.shift();
      this.#first += 1;
    }
    made.set(this.rows, [this, this.#first + this.#steps.length, chunks as Chunks<never>]);
  }

  /** What has changed from one of its lists to another, by their numbers, if that is known. */
  between(from: number, to: number): Changes<R> | undefined {
    if (from < this.#first || from > to) return undefined;
    const steps = this.#steps.slice(from - this.#first, to - this.#first);
    return steps.length === 1 ? steps[0] : new Map(steps.flatMap((each) => [...each]));
  }
}

function changesBetween<R extends Identified>(
  from: readonly R[],
  to: readonly R[],
): Changes<R> | undefined {
  const [before, at] = made.get(from) ?? [];
  const [history, now] = made.get(to) ?? [];
  return before && before === history ? (history as History<R>).between(at!, now!) : undefined;
}

/** Where the rows that were made last are kept, for the next one who makes some. */
export interface KeptRows<R> {
  rows: readonly R[];
}

/** None yet. */
export function keptRows<R>(): KeptRows<R> {
  return { rows: NOTHING };
}

/**
 * Makes lists of others: of each row another one, or none. The same array as long as the same
 * rows come of it. Of a list that follows from the one before only what has changed is made anew.
 *
 * @param make what becomes of a row, the same each time; undefined for none.
 * @param last what another one has made before it; nothing if left out.
 */
export function deriving<A extends Identified, B extends Identified>(
  make: (row: A) => B | undefined,
  last: KeptRows<B> = keptRows(),
): (rows: readonly A[]) => readonly B[] {
  const own = new History(last.rows);
  let from: readonly A[] | undefined;
  const change = (changes: Changes<A>) => {
    const now = [...changes].map(([id, row]) => [id, row && make(row)] as const);
    own.change(new Map(now.filter(([id, row]) => row !== own.find(id))));
  };
  const begin = (rows: readonly A[]) => {
    const now: B[] = [];
    for (const chunk of chunksOf(rows)) {
      for (const row of chunk) {
        const made = make(row);
        if (made) now.push(made);
      }
    }
    own.begin(now);
  };
  return (rows) => {
    if (rows === from) return own.rows;
    const changes = from && changesBetween(from, rows);
    if (changes) change(changes);
    else begin(rows);
    from = rows;
    return (last.rows = own.rows);
  };
}

/** Lets rows pass; see `deriving`. `where`: whether one does; all of them if left out. */
export function filtering<R extends Identified>(
  where: ((row: R) => boolean) | undefined,
  last?: KeptRows<R>,
): (rows: readonly R[]) => readonly R[] {
  return where ? deriving((row) => (where(row) ? row : undefined), last) : (rows) => rows;
}
