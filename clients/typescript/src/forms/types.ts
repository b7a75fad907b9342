/**
 * What binding a form takes and gives.
 *
 * Knows shapes only. Must not know the client: any object that can ask will do,
 * and nothing here imports it.
 */

import type { FormValue, FormValues } from "../core/options.ts";
import type { JsonValue } from "../messages/types.ts";

/** A control that a user fills in. */
export type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** What the server says of a field. */
export interface FieldAnswer {
  readonly valid: boolean;
  /** If not, why. */
  readonly error?: string | undefined;
  readonly metadata: JsonValue;
}

/** What the server says of a form; the field of an error is empty for the form as a whole. */
export interface FormAnswer {
  readonly valid: boolean;
  readonly errors: readonly { readonly field: string; readonly error: string }[];
}

/** What a form needs of a client; `Client` has it. */
export interface FormsClient {
  /** `open`: there is a connection. With anything else a question waits for one. */
  readonly state: string;
  onState(listener: (state: string) => void): () => void;
  validateField(
    form: string,
    field: string,
    value: FormValue | readonly FormValue[],
    options: { values: FormValues; formInstance: string },
  ): Promise<FieldAnswer>;
  validateForm(
    form: string,
    values: FormValues,
    options: { formInstance: string },
  ): Promise<FormAnswer>;
}

/** How to bind a form. */
export interface FormOptions {
  /** Asks the server. */
  readonly client: FormsClient;
  /** The form's name at the server; that of `data-rhtmx-form` if left out. */
  readonly name?: string | undefined;
  /** Milliseconds without a key after which a value is asked about; 300 if left out. */
  readonly debounce?: number | undefined;
  /** Whether what the user typed survives a reload of the tab; yes if left out. */
  readonly drafts?: boolean | undefined;
  /**
   * The words to show for an error of a field; those of the server if left out.
   *
   * @example
   * bindForm(form, { client, text: (error, field) => `${field} ${error}.` });
   */
  readonly text?: ((error: string, field: string) => string) | undefined;
}

/** A form that is checked by the server while it is filled in. */
export interface BoundForm {
  /**
   * Asks about a field now, and shows the answer, also if the user has not been
   * there yet. Resolves to undefined if there is no answer to show: the value or
   * the question is an old one by now, or the server could not judge.
   */
  check(field: string): Promise<boolean | undefined>;
  /**
   * Asks about the whole form, shows all errors and goes to the first of them.
   * False as well when the user went on writing meanwhile. Waits for a
   * connection; a second call joins one that is under way.
   */
  validate(): Promise<boolean>;
  /** Leaves the form alone from now on. Its draft stays. */
  stop(): void;
}

/** The detail of `rhtmx:validation`; `field` is empty for the form as a whole. */
export interface ValidationDetail {
  readonly form: string;
  readonly field: string;
  readonly valid: boolean;
  /** Why not; empty if valid. */
  readonly error: string;
  /** What the validator adds; null for the form as a whole. */
  readonly metadata: JsonValue;
}

/**
 * `data-rhtmx-state` of a form: nothing under way, being asked about before it is
 * sent, waiting for a connection to be asked about, refused, gone on.
 */
export type FormState = "idle" | "checking" | "waiting" | "invalid" | "valid";
