/**
 * Judges a record of which much may be wrong.
 *
 * Knows how many violations are told. Must not know rules.
 *
 * Not in `judge` itself: a form, which has a few fields, does not pay for it.
 */
import type { Violation } from "../errors.ts";
import { type Judged, judge } from "./judge.ts";
import type { Message } from "./message.ts";

const MOST = 100;

class First extends Array<Violation> {
  override push(each: Violation): number {
    if (this.length === MOST) throw this;
    return super.push(each);
  }
}

/**
 * The same as `judge`, which stops after 100 violations, and says so by another one, `more`: as the
 * server does.
 */
export function judgeFirst(message: Message, data: object, judged: Judged): Violation[] {
  const found = new First();
  try {
    judge(message, data, judged, found);
  } catch (enough) {
    if (enough !== found) throw enough;
    found[MOST] = { field: "", code: "more", message: "there is more that is wrong" };
  }
  return [...found];
}
