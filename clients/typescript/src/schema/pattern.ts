/**
 * Decides whether a pattern matches a text, with the table that `rhtmx codegen` has made of it.
 *
 * Knows tables, as `rhtmx/patterns/table.py` describes them. Must not know patterns: no code of
 * theirs is in a page, and none runs that could take longer than one look for each character.
 */

type Matcher = (text: string) => boolean;

/** The matchers of the tables that were asked for, each read once. */
const matchers = new Map<string, Matcher>();

/**
 * Whether a pattern matches somewhere in a text, which is looked at code point by code point.
 *
 * @param table - that of a compiled pattern.
 */
export function matches(table: string, text: string): boolean {
  let matcher = matchers.get(table);
  if (!matcher) matchers.set(table, (matcher = read(table)));
  return matcher(text);
}

function read(table: string): Matcher {
  let at = 0;
  /** The next number: digits to the base of 57, and a last one to the base of 34. */
  const next = (value = 0): number => {
    const code = table.charCodeAt(at++);
    return code < 93 ? next(value * 57 + code - 35) : value * 34 + code - 93;
  };
  const last = next() - 1;
  const width = next();
  const accepting = next();
  const start = next();
  const starts: number[] = [];
  const classes: number[] = [];
  for (let left = next(), begins = 0; left--; ) {
    starts.push((begins += next()));
    classes.push(next());
  }
  /** Where each class leads, for one state after the other: a state that is an end stays. */
  const targets = Array<number>(width).fill(0);
  for (let state = 1; state < last; state++) {
    while (targets.length < width * (state + 1)) {
      const ahead = next();
      const target = ahead < 2 ? ahead * last : (state + ahead - 2) % last;
      for (let more = next() + 1; more--; ) targets.push(target);
    }
  }
  for (let left = width; left--; ) targets.push(last);

  return (text) => {
    let state = start;
    for (const character of text) {
      const point = character.codePointAt(0)!;
      let low = 0;
      for (let high = starts.length; high - low > 1; ) {
        const middle = (low + high) >> 1;
        if (starts[middle]! > point) high = middle;
        else low = middle;
      }
      state = targets[state * width + classes[low]!]!;
    }
    return state >= accepting;
  };
}
