/**
 * What a user typed into one form and did not send yet.
 *
 * Knows controls: each that the user edited, as it was found then; where the server, or
 * a script, has put something else, that stays. Must not know where a draft is kept.
 *
 * A control goes by its place, a number and a name, as it came with the page. Scripts
 * remove, add, sort and rename rows: what was typed in one stays that one's.
 */

import type { Entry } from "./entries.ts";
import { entryOf, isKeepable, put, renderedOf } from "./entries.ts";
import { digest, isFixed, recordOf, targetOf } from "./target.ts";
import type { Control } from "./types.ts";
import { controlsOf, isSame, nameOf } from "./values.ts";

/**
 * A control by its place, how the controls of its name were rendered, what it had first,
 * and what then. What no user edits goes by its place, and by what was in it.
 */
export type Kept = readonly [place: string, rendered: number, first?: Entry, entry?: Entry];

/** The draft of one form. */
export interface Draft {
  /** The user edited a control. */
  note(control: Control): void;
  /**
   * What was edited goes.
   *
   * @param leaves tells whether that loads another page, at any time until it does.
   */
  send(leaves: () => boolean): void;
  /** What went has arrived, or has not. */
  settle(arrived: boolean): void;
  /** There is none. */
  forget(): void;
  /** What it is about, in short. */
  readonly about: number;
  /** Whether all of it was submitted and that loads the next page. */
  isSent(): boolean;
  /** What is to be kept; nothing if the user edited nothing. */
  kept(): readonly Kept[];
  /**
   * Puts back what was kept, and tells each control's listeners by the events that
   * come with typing it again.
   */
  restore(kept: readonly Kept[]): void;
}

/** The draft of a form that has just come. */
export function makeDraft(
  form: HTMLFormElement,
  name: string,
  isSecret: (field: string) => boolean,
): Draft {
  const found = foundIn(form, isSecret);
  const target = targetOf(form);
  const rendered = (control: Control) => digest(renderedOf(form, nameOf(control)));
  /** Where it is another one, the record is another one as well. */
  const fixed = [...found]
    .filter(([each]) => isFixed(each))
    .map(([, [place, entry]]): Kept => [place, digest(entry)]);
  /** What the user edited, with how it was rendered. */
  const edited = new Map<Control, number>();
  /** What of it is under way. */
  const sent = new Map<Control, number>();
  let leaves = () => false;

  const settle = (arrived: boolean) => {
    for (const [each, rendered] of arrived ? [] : sent) {
      if (!edited.has(each)) edited.set(each, rendered);
    }
    sent.clear();
    leaves = () => false;
  };

  return {
    note(control) {
      if (found.has(control) && !edited.has(control)) edited.set(control, rendered(control));
    },
    send(isLeaving) {
      for (const each of edited) sent.set(...each);
      edited.clear();
      leaves = isLeaving;
    },
    settle,
    forget() {
      settle(true);
      edited.clear();
    },
    about: digest([name, recordOf(form)]),
    isSent: () => leaves() && !edited.size,
    kept() {
      if (!isSame(target, targetOf(form))) return [];
      const present = controlsOf(form);
      const all = [...new Map([...sent, ...edited])].flatMap(([each, rendered]): Kept[] => {
        // A password that was shown may be hidden again.
        if (!present.includes(each) || !isKeepable(form, each) || each.validity?.badInput)
          return [];
        const [place, first] = found.get(each)!;
        return [[place, rendered, first, entryOf(each)]];
      });
      return all.length ? [...fixed, ...all] : all;
    },
    restore(all) {
      const kept = new Map(all.map((each) => [each[0], each]));
      let isSameRecord = true;
      const fitting = [...found].flatMap(([control, [place, now]]) => {
        const [, then, first, entry] = kept.get(place) ?? [];
        if (then === undefined) return [];
        if (entry === undefined) {
          isSameRecord &&= digest(now) === then;
          return [];
        }
        const fits =
          !isFixed(control) &&
          rendered(control) === then &&
          // The browser may have put it there itself.
          (isSame(now, first) || isSame(now, entry));
        return fits ? [[control, place, then, first!, entry] as const] : [];
      });
      if (!isSameRecord) return;
      for (const [control, place, then, first] of fitting) {
        edited.set(control, then);
        found.set(control, [place, first]);
      }
      for (const [control, , , , entry] of fitting) put(control, entry);
    },
  };
}

/** The controls that may be kept, each with its place and with what was in it. */
function foundIn(
  form: HTMLFormElement,
  isSecret: (field: string) => boolean,
): Map<Control, readonly [place: string, entry: Entry]> {
  const counts = new Map<string, number>();
  const found = new Map<Control, readonly [string, Entry]>();
  for (const each of controlsOf(form)) {
    const name = nameOf(each);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    if (isKeepable(form, each) && !isSecret(name))
      found.set(each, [`${count} ${name}`, entryOf(each)]);
  }
  return found;
}
