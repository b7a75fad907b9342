/**
 * Forms that are checked by the server while they are filled in.
 *
 * Knows what a page may use. Everything else here is internal.
 */
export type {
  BoundForm,
  Control,
  FieldAnswer,
  FormAnswer,
  FormOptions,
  FormProblem,
  FormsClient,
  FormState,
  ValidationDetail,
} from "./types.ts";
export type { FormValue, FormValues } from "../core/options.ts";

export { bindForm } from "./binding.ts";
