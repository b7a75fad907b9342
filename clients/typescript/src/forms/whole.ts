/**
 * The question about a whole form, and the submission that waits for its answer.
 *
 * Knows the order of things: one question at a time, one submission for it. Must
 * not know how a question travels, nor how an answer looks.
 */
import { valuesOf } from "./values.ts";
import type { FormAnswer, FormState } from "./types.ts";
import type { Values } from "./values.ts";

/** Milliseconds in which another submission is the second half of a double click. */
const DOUBLE = 500;

/** A tuple, since a minifier shortens its names. */
export type Whole = readonly [
  validate: () => Promise<boolean>,
  /** Takes back the question that is under way, and with it a submission that waits for it. */
  withdraw: () => void,
  /** Takes a submit event before anybody else. */
  submit: (event: SubmitEvent) => Promise<void>,
  /** The connection is another one: says whether a question waits for it. */
  wait: () => void,
];

/**
 * @param ask asks the server.
 * @param isOpen whether there is a connection.
 * @param say takes what the form waits for, or that it waits for nothing.
 * @param show takes an answer that is not an old one.
 * @param sent called when a submission goes on.
 */
export function wholeOf(
  form: HTMLFormElement,
  ask: (values: Values) => Promise<FormAnswer>,
  isOpen: () => boolean,
  say: (state: FormState) => void,
  show: (answer: FormAnswer) => void,
  sent: () => void,
): Whole {
  let run: Promise<boolean> | undefined;
  let submission: Promise<boolean> | undefined;
  /** What is being asked about. */
  let asked: Values | undefined;
  /** When a submission went on, by the page's clock; for ever while it does. */
  let passed = -DOUBLE;

  const wait = () => asked && say(isOpen() ? "checking" : "waiting");

  const judge = async (): Promise<boolean> => {
    const values = (asked = valuesOf(form));
    wait();
    const answer = await ask(values).catch(({ message }: Error) => ({
      valid: false,
      errors: [{ field: "", error: message }],
    }));
    if (asked !== values) return false;
    // A script of the page may have changed something, without an event.
    if (JSON.stringify(valuesOf(form)) !== JSON.stringify(values)) return judge();
    asked = run = undefined;
    show(answer);
    return answer.valid;
  };

  const validate = () => (run ??= judge());

  const withdraw = () => {
    passed = -DOUBLE;
    asked = run = undefined;
    say("idle");
  };

  const submit = async (event: SubmitEvent): Promise<void> => {
    const button = event.submitter as HTMLButtonElement | null;
    if (passed === Infinity || button?.formNoValidate) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.timeStamp - passed < DOUBLE || submission === validate()) return;
    submission = run;
    if (!(await run)) return;
    sent();
    passed = Infinity;
    // The button may have been taken away meanwhile.
    form.requestSubmit(button?.form === form ? button : null);
    passed = performance.now();
  };

  return [validate, withdraw, submit, wait];
}
