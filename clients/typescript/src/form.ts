/**
 * A form, as the server checks it.
 *
 * Knows questions and answers. Must not know elements.
 */
import * as compose from "./compose.ts";
import type { Hub } from "./hub.ts";
import type { FormValidationResult, ValidationResult } from "./messages/types.ts";
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
    const options = { ...this.#options, values };
    return this.#hub.ask(compose.validateField(this.name, field, value, options));
  }

  /** Asks whether all of it is valid, with the values by field. */
  validate(values: Readonly<Record<string, string>>): Promise<FormValidationResult> {
    const { formInstance } = this.#options;
    return this.#hub.ask(compose.validateForm(this.name, values, formInstance));
  }
}
