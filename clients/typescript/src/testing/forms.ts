/**
 * The forms of a server for tests: functions that a test gives.
 *
 * Knows questions and answers. Must not know connections.
 */
import type * as m from "../messages/types.ts";
import { Refused } from "./entity-log.ts";

/** What somebody entered: the values of a field, a text each; a file is its name. */
export type EnteredValues = Readonly<Record<string, readonly string[]>>;

/** What is wrong with a value, and what else there is to say; undefined or `""`: nothing. */
export type Finding =
  | string
  | undefined
  | {
      /** What is wrong, in words. */
      readonly error?: string | undefined;
      /** What else there is to say: a suggestion, a price. */
      readonly metadata?: m.JsonValue;
    };

/**
 * Says what is wrong with a value.
 *
 * @param value of the field; the first one, if it has several; `""` if it has none.
 * @param values of all fields.
 */
export type FieldValidator = (value: string, values: EnteredValues) => Finding | Promise<Finding>;

/** A form: a function for each field. A field without one is unknown, as to a real server. */
export type TestForm = Readonly<Record<string, FieldValidator>>;

/** Answers a question about one field. */
export async function validateField(
  forms: Readonly<Record<string, TestForm>>,
  { form, field, value, values = [], request_id }: m.ValidateField,
): Promise<m.ValidationResult> {
  const validator = formOf(forms, form)[field];
  if (!validator) throw new Refused("unknown_form", `form '${form}' has no field '${field}'`);
  const entered = valuesOf(values);
  const { error, metadata } = found(await validator(value, { [field]: [value], ...entered }));
  const answer = { request_id, form, field, valid: !error, metadata };
  return { type: "validation_result", ...answer, ...(error && { error }) };
}

/** Answers a question about a whole form. */
export async function validateForm(
  forms: Readonly<Record<string, TestForm>>,
  { form, fields, request_id }: m.ValidateForm,
): Promise<m.FormValidationResult> {
  const validators = formOf(forms, form);
  const unknown = fields.find(({ field }) => !(field in validators));
  if (unknown) throw new Refused("unknown_form", `form '${form}' has no field '${unknown.field}'`);
  const entered = valuesOf(fields);
  const errors: m.FieldError[] = [];
  for (const [field, validator] of Object.entries(validators)) {
    const { error } = found(await validator(entered[field]?.[0] ?? "", entered));
    if (error) errors.push({ field, error });
  }
  const answer = { request_id, form, valid: !errors.length, errors };
  return { type: "form_validation_result", ...answer };
}

function formOf(forms: Readonly<Record<string, TestForm>>, name: string): TestForm {
  const form = forms[name];
  if (!form) throw new Refused("unknown_form", `no form '${name}': give it to createServer`);
  return form;
}

function valuesOf(fields: readonly m.FormFieldValue[]): EnteredValues {
  const found: { [field: string]: string[] } = {};
  for (const { field, value } of fields) (found[field] ??= []).push(value);
  return found;
}

function found(finding: Finding): { error: string | undefined; metadata: m.JsonValue } {
  const { error, metadata = null } = typeof finding === "object" ? finding : { error: finding };
  return { error: error || undefined, metadata };
}
