/**
 * A form, as the server checks it.
 *
 * Knows questions and answers. Must not know elements.
 */

import type { FormValue, FormValues, ValidateFormOptions } from "../core/options.ts";
import type { FormFieldValue, FormValidationResult, ValidationResult } from "../messages/types.ts";
import type { Tab } from "../runtime/tab.ts";

/** See the head of the file. */
export class Form {
  /** The form's name. */
  readonly name: string;
  readonly #tab: Tab;
  readonly #options: ValidateFormOptions;

  constructor(tab: Tab, name: string, options: ValidateFormOptions = {}) {
    this.#tab = tab;
    this.name = name;
    this.#options = options;
  }

  /**
   * Asks whether the value of a field is valid, or all of its values. A newer call
   * for the same field replaces it, which rejects it with code `superseded`.
   *
   * @param values the form's other values, for rules across fields.
   */
  check(
    field: string,
    value: FormValue | readonly FormValue[],
    values: FormValues = {},
  ): Promise<ValidationResult> {
    const own = formValues({ [field]: value });
    // One text travels by itself; for anything else the list has all of the field.
    const isText = own.length === 1 && !own[0]!.file;
    return this.#tab.ask({
      ...{ type: "validate_field", ...this.#form, field, value: own[0]?.value ?? "" },
      values: formValues(isText ? values : { ...values, [field]: value }),
    });
  }

  /** Asks whether all of it is valid, with the values by field. */
  validate(values: FormValues): Promise<FormValidationResult> {
    return this.#tab.ask({ type: "validate_form", ...this.#form, fields: formValues(values) });
  }

  get #form() {
    return { request_id: "", form: this.name, form_instance: this.#options.formInstance };
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
