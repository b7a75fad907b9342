/**
 * A first proposal for one text out of two.
 *
 * Knows texts. Must not know where they come from: the user has the last word.
 */

/**
 * Both texts, theirs first; the longer one alone if it holds the other.
 *
 * @param lines whether the field has several lines.
 */
export function bothTexts(mine: string, theirs: string, lines: boolean): string {
  if (theirs.includes(mine)) return theirs;
  if (mine.includes(theirs)) return mine;
  return `${theirs}${lines ? "\n" : " / "}${mine}`;
}
