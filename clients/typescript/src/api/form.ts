/**
 * A form, as the server checks it.
 *
 * Knows questions and answers. Must not know elements.
 */

import type { FormValue, FormValues, ValidateFormOptions } from "../core/options.ts";
import type {
  FormFieldValue,
  FormValidationResult,
  Question,
  ServerMessage,
  ValidationResult,
} from "../messages/types.ts";

/** Who asks the server. */
export interface Asker {
  ask<M extends ServerMessage>(question: Question): Promise<M>;
}

/** A form, to be checked by the server. Made by `Client.form`. */
export class Form {
  /** The form's name. */
  readonly name: string;
  readonly #asker: Asker;
  readonly #options: ValidateFormOptions;

  /** @internal `Client.form` makes it. */
  constructor(asker: Asker, name: string, options: ValidateFormOptions = {}) {
    this.#asker = asker;
    this.name = name;
    this.#options = options;
  }

  /**
   * Asks whether the value of a field is valid, or all of its values. A newer call
   * for the same field replaces it, which rejects it with code `superseded`.
   *
   * @param field the field's name.
   * @param value what the user entered: a text, a file, or a list of several.
   * @param values the form's other values, for rules across fields.
   *
   * @throws RhtmxError `unknown_form` (also: no such field), `superseded`, `timeout` …
   *
   * @example
   * const answer = await client.form("signup").check("email", "nobody");
   * answer.valid; // false
   */
  check(
    field: string,
    value: FormValue | readonly FormValue[],
    values: FormValues = {},
  ): Promise<ValidationResult> {
    const own = formValues({ [field]: value });
    // One text travels by itself; for anything else the list has all of the field.
    const isText = own.length === 1 && !own[0]!.file;
    return this.#asker.ask({
      ...{ type: "validate_field", ...this.#form, field, value: own[0]?.value ?? "" },
      values: formValues(isText ? values : { ...values, [field]: value }),
    });
  }

  /**
   * Asks whether all of it is valid; fields left out are checked, too.
   *
   * @param values what the user entered, by field.
   *
   * @throws RhtmxError `unknown_form` (also: no such field), `timeout` …
   *
   * @example
   * const { errors } = await client.form("signup").validate({ email: "" });
   * errors.map(({ field }) => field); // ["email"]
   */
  validate(values: FormValues): Promise<FormValidationResult> {
    return this.#asker.ask({
      ...{ type: "validate_form", ...this.#form, fields: formValues(values) },
      with_receipt: this.#options.receipt || undefined,
    });
  }

  get #form() {
    const { formInstance, live } = this.#options;
    const form = { request_id: "", form: this.name, form_instance: formInstance };
    return { ...form, live: live || undefined };
  }
}

function formValues(values: FormValues): FormFieldValue[] {
  return Object.entries(values).flatMap(([field, given]) =>
    [given].flat().map((value: FormValue) => {
      if (typeof value === "string") return { field, value };
      const { name, size, type } = value;
      return { field, value: name, file: { name, size, type } };
    }),
  );
}
