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
  /** Whether the value is valid. */
  readonly valid: boolean;
  /** If not, why. */
  readonly error?: string | undefined;
  /** What the validator adds; null for nothing. */
  readonly metadata: JsonValue;
  /** Whether the server says so when this verdict changes. */
  readonly live?: boolean | undefined;
}

/** A verdict on a field of an open form, which nobody has asked for. */
export interface FieldNews extends FieldAnswer {
  /** The field. */
  readonly field: string;
  /** Which form. */
  readonly form_instance?: string | undefined;
}

/** One thing that is wrong with a form. */
export interface FormProblem {
  /** The field that is at fault; empty for the form as a whole. */
  readonly field: string;
  /** Why. */
  readonly error: string;
}

/** What the server says of a form. */
export interface FormAnswer {
  /** Whether all of it is valid. */
  readonly valid: boolean;
  /** All that is wrong; empty if it is valid. */
  readonly errors: readonly FormProblem[];
  /** What the handler takes that the form is posted to, if it was asked for. */
  readonly receipt?: string | undefined;
  /** Whether the server says so when the verdict on a field changes. */
  readonly live?: boolean | undefined;
}

/** What a form needs of a client; `Client` has it. */
export interface FormsClient {
  /** `open`: there is a connection. With anything else a question waits for one. */
  readonly state: string;
  /** Calls `listener` with each new state, until the returned function is called. */
  onState(listener: (state: string) => void): () => void;
  /** Calls `listener` with what is said unasked of open forms, until the returned function is called. */
  onValidation?(listener: (news: FieldNews) => void): () => void;
  /** Has nothing more be said of a form. */
  closeForm?(form: string, formInstance: string): void;
  /** Whether a field is a secret, which no draft keeps; left out: none is known to be one. */
  isSecret?(field: string): boolean;
  /** Asks whether one value is valid. */
  validateField(
    form: string,
    field: string,
    value: FormValue | readonly FormValue[],
    options: { values: FormValues; formInstance: string; live?: boolean | undefined },
  ): Promise<FieldAnswer>;
  /** Asks whether a whole form is valid. */
  validateForm(
    form: string,
    values: FormValues,
    options: {
      formInstance: string;
      receipt?: boolean | undefined;
      live?: boolean | undefined;
    },
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

/** Why a write was rejected; a `RhtmxError` will do, and what is in `client.rejected`. */
export interface FormRejection {
  /** Why, in words. */
  readonly message: unknown;
  /** The fields that are wrong. */
  readonly violations?:
    | readonly {
        /** Its name. */
        readonly field: string;
        /** Why, in words. */
        readonly message: string;
      }[]
    | undefined;
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
  /**
   * Shows why what the page made of the form was rejected, as a write of a record that a check of
   * the server refused: what is wrong with a field at the field, the rest at the form; and goes to
   * the first of them. A field is asked about again once the user changes it.
   *
   * @example
   * const bound = bindForm(form, { client });
   * form.addEventListener("submit", (event) => {
   *   event.preventDefault();
   *   tasks.patch("1", { title: "Write it down" }).catch(bound.reject);
   * });
   */
  reject(error: FormRejection): void;
  /** Leaves the form alone from now on. Its draft stays. */
  stop(): void;
}

/** The detail of the event `rhtmx:validation`. */
export interface ValidationDetail {
  /** The form's name at the server. */
  readonly form: string;
  /** The field's name; empty for the form as a whole. */
  readonly field: string;
  /** Whether it is valid. */
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
