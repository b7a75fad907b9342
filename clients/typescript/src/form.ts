/**
 * A form, as the server checks it.
 *
 * Knows questions and answers. Must not know elements.
 */
import type { Hub } from "./hub.ts";
import type { FormFieldValue, FormValidationResult, ValidationResult } from "./messages/types.ts";
import type { ValidateFormOptions } from "./options.ts";

/** See the head of the file. */
export class Form {
  /** The form's name. */
  readonly name: string;
  readonly #hub: Hub;
  readonly #options: ValidateFormOptions;

  constructor(hub: Hub, name: string, options: ValidateFormOptions = {}) {
    this.#hub = hub;
    this.name = name;
    this.#options = options;
  }

  /**
   * Asks whether one value is valid. A newer call for the same field replaces
   * it, which rejects it with code `superseded`.
   *
   * @param values the form's other values, for rules across fields.
   */
  check(
    field: string,
    value: string,
    values: Readonly<Record<string, string>> = {},
  ): Promise<ValidationResult> {
    const others = formValues(values);
    return this.#hub.ask({ type: "validate_field", ...this.#form, field, value, values: others });
  }

  /** Asks whether all of it is valid, with the values by field. */
  validate(values: Readonly<Record<string, string>>): Promise<FormValidationResult> {
    return this.#hub.ask({ type: "validate_form", ...this.#form, fields: formValues(values) });
  }

  get #form() {
    return { request_id: "", form: this.name, form_instance: this.#options.formInstance };
  }
}

function formValues(values: Readonly<Record<string, string>>): FormFieldValue[] {
  return Object.entries(values).map(([field, value]) => ({ field, value }));
}
