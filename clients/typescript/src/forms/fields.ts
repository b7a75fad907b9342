/**
 * When a field is asked about, and which answers still count.
 *
 * Knows values and time. Must not know how an error looks, nor the whole form.
 */
import { valuesOf } from "./values.ts";
import type { Control, FieldAnswer } from "./types.ts";
import type { Values } from "./values.ts";

/** The questions about the fields of one form; a tuple, since a minifier shortens its names. */
export type Fields = readonly [
  /**
   * The fields that the user has been in, or that were asked about, with the
   * values that the last question went with. The others show no errors.
   */
  touched: Map<string, Values>,
  /** Takes note of a field, as one that has to be asked about. */
  touch: (name: string) => void,
  /** Asks now; undefined: there is no answer that still counts. */
  check: (name: string) => Promise<boolean | undefined>,
  /** The user pauses or leaves: asks, unless that value was asked about or nobody touched it. */
  settle: (control: Control) => void,
  /** The user writes: asks after a pause in milliseconds. */
  later: (control: Control, pause: number) => void,
  /** From now on no timer and no answer does anything. */
  quiet: () => void,
];

/**
 * @param ask asks the server.
 * @param show takes each answer that is not an old one.
 */
export function fieldsOf(
  form: HTMLFormElement,
  ask: (name: string, values: Values) => Promise<FieldAnswer>,
  show: (name: string, answer: FieldAnswer) => void,
): Fields {
  const touched = new Map<string, Values>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  const stopTimer = (name: string) => clearTimeout(timers.get(name));
  // No value of a control is a number: this is one that was not asked about.
  const touch = (name: string) => void touched.set(name, { [name]: 0 as unknown as string });

  const check = async (name: string): Promise<boolean | undefined> => {
    const values = valuesOf(form);
    touched.set(name, values);
    stopTimer(name);
    let answer: FieldAnswer | undefined;
    try {
      answer = await ask(name, values);
    } catch (error) {
      if (touched.get(name) === values) console.error(error);
    }
    if (touched.get(name) !== values) return undefined;
    if (answer && valuesOf(form)[name] === values[name]) {
      show(name, answer);
      return answer.valid;
    }
    touch(name);
    return undefined;
  };

  const settle = (control: Control): void => {
    const { name } = control;
    const asked = touched.get(name);
    stopTimer(name);
    if (!asked || asked[name] === valuesOf(form)[name]) return;
    void check(name);
    for (const other of (control.dataset["affects"] ?? "").split(/\s+/)) {
      if (touched.has(other)) void check(other);
    }
  };

  const later = (control: Control, pause: number): void => {
    stopTimer(control.name);
    timers.set(control.name, setTimeout(settle, pause, control));
  };

  const quiet = (): void => {
    for (const name of touched.keys()) {
      stopTimer(name);
      touch(name);
    }
  };

  return [touched, touch, check, settle, later, quiet];
}
