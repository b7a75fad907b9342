/**
 * A form that is judged where it is filled in, by the rules of the application's schema.
 *
 * Knows the table of a form, and whom to ask what only the server knows. Must not know elements,
 * nor single rules: a form is bound to this as it is bound to a client.
 */
import type { FormValue, FormValues } from "../core/options.ts";
import type { Violation } from "../errors.ts";
import { keyOf, own, type Shape } from "../schema/convert.ts";
import { entered } from "../schema/entered.ts";
import { judge } from "../schema/judge.ts";
import { ASKS, type Field, type Message, SECRET } from "../schema/message.ts";
import { TextError } from "../schema/text.ts";
import type { FieldAnswer, FormAnswer, FormProblem, FormsClient } from "./types.ts";

/** A clock: nanoseconds since 1970. */
const wallClock = (): bigint => BigInt(Date.now()) * 1_000_000n;

/**
 * What a form is bound to that has a schema: what a rule of the schema refuses is answered here,
 * without asking. The server is asked about fields of which it has more to say (`async`, `deliverable`
 * and `server_only_rules` in the schema), once their other rules hold; and about the form as a whole
 * if it has such a field, or such a rule.
 *
 * @param client - is asked.
 * @param form - as `rhtmx codegen` has generated it.
 *
 * @example
 * bindForm(element, { client: SignUp.judged(client), name: SignUp.name });
 */
export function judgedClient(
  client: FormsClient,
  form: Shape,
  now: () => bigint = wallClock,
): FormsClient {
  const { fields, rules = [], asks } = form.rules;
  const isAsked = (field: Field | undefined) => ((field?.[2] ?? 0) & ASKS) !== 0;
  const keyed = new Map(fields.map((field) => [keyOf(field), field]));
  return {
    get state() {
      return client.state;
    },
    onState: (listener) => client.onState(listener),
    onValidation: (listener) => client.onValidation?.(listener) ?? (() => {}),
    closeForm: (name, instance) => client.closeForm?.(name, instance),
    isSecret: (key) => !!((keyed.get(key)?.[2] ?? 0) & SECRET),
    async validateField(name, key, value, options): Promise<FieldAnswer> {
      const field = keyed.get(key);
      if (!field) return client.validateField(name, key, value, options);
      const [problem] = problemsOf([field], { [key]: value }, now());
      if (!problem && isAsked(field)) return client.validateField(name, key, value, options);
      return { valid: !problem, metadata: null, ...(problem && { error: problem.error }) };
    },
    async validateForm(name, values, options): Promise<FormAnswer> {
      const errors = problemsOf(fields, values, now(), rules);
      if (!errors.length && (asks || fields.some(isAsked)))
        return client.validateForm(name, values, options);
      return { valid: !errors.length, errors };
    },
  };
}

/** What is wrong with some fields of a form, and by which rules about all of it. */
function problemsOf(
  fields: readonly Field[],
  values: FormValues,
  now: bigint,
  rules: Message["rules"] = [],
): FormProblem[] {
  const problems: FormProblem[] = [];
  const data: Record<string, unknown> = {};
  for (const field of fields) {
    const key = keyOf(field);
    try {
      data[key] = entered(field[1], textsOf(own(values, key)));
    } catch (error) {
      if (!(error instanceof TextError)) throw error;
      problems.push({ field: key, error: error.message });
    }
  }
  // A text that stands for no value is the one thing that is wrong with its field.
  const readable = fields.filter((field) => !problems.some((each) => each.field === keyOf(field)));
  const whole = problems.length ? [] : rules;
  const found = judge({ name: "", fields: readable, rules: whole }, data, { now });
  const keys = new Map(fields.map((field) => [field[0], keyOf(field)]));
  return [...problems, ...found.map((each) => problemOf(each, keys))];
}

/** Of a violation within a field, its words, at the field. */
function problemOf({ field, message }: Violation, keys: ReadonlyMap<string, string>): FormProblem {
  const name = /^[^.[]*/.exec(field)![0];
  return { field: keys.get(name) ?? name, error: message };
}

function textsOf(value: FormValue | readonly FormValue[] | undefined): string[] {
  if (value === undefined) return [];
  return [value].flat().map((each) => (typeof each === "string" ? each : each.name));
}
