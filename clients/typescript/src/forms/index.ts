/**
 * Forms that are checked by the server while they are filled in.
 *
 * Knows what a page may use. Everything else here is internal.
 */

export type { FormValue, FormValues } from "../core/options.ts";
export { bindForm } from "./binding.ts";
export type {
  BoundForm,
  Control,
  FieldAnswer,
  FieldNews,
  FormAnswer,
  FormOptions,
  FormProblem,
  FormRejection,
  FormState,
  FormsClient,
  ValidationDetail,
} from "./types.ts";
