/**
 * Forms that are checked by the server while they are filled in.
 *
 * Knows which forms are bound. Everything else here is internal.
 */
import { bind } from "./binding.ts";
import type { BoundForm, FormOptions } from "./types.ts";

export type {
  BoundForm,
  Control,
  FieldAnswer,
  FormAnswer,
  FormOptions,
  FormsClient,
  FormState,
  ValidationDetail,
} from "./types.ts";

const bound = new WeakMap<HTMLFormElement, BoundForm>();

/**
 * Has a form checked by the server: each field as the user types, the whole form
 * before it is submitted. A form that is bound already stays as it is bound.
 *
 * - A field is asked about 300 ms after a key and at once when the user leaves it,
 *   with the values of the others. Only fields that the user has been in show
 *   errors. Fields named in `data-affects="phone other"` are asked about again.
 * - Submission waits until the form was found valid, then goes on as it was:
 *   natively, through `hx-post` or to the page's own listener. Buttons with
 *   `formnovalidate` submit at once. The browser's own checks come first; the
 *   attribute `novalidate` of the form leaves them out.
 * - `data-rhtmx-state` of the form says where it stands: {@link FormState}. The words
 *   for `waiting` are those of `data-rhtmx-waiting`.
 * - Each answer is an event `rhtmx:validation` that bubbles: {@link ValidationDetail}.
 * - What was typed survives a reload of the tab, until it is sent or reset. Several
 *   forms of one name on a page need an `id` each for that.
 *
 * @example
 * const bound = bindForm(document.querySelector("#contact"), { client, name: "contact" });
 */
export function bindForm(form: HTMLFormElement, options: FormOptions): BoundForm {
  const existing = bound.get(form);
  if (existing) return existing;
  const binding = bind(form, options, () => bound.delete(form));
  bound.set(form, binding);
  return binding;
}
