/**
 * Hooks for React 18 and later.
 *
 * Knows what belongs to the package. Must not know how any of it works.
 */

export type { FormErrors, FormHandle, SchemaForm, UseFormOptions } from "./form.ts";
export { useForm } from "./form.ts";
export type { Field } from "./hooks.ts";
export {
  useCollection,
  useConflicts,
  useConnection,
  useField,
  usePresence,
  useRecord,
} from "./hooks.ts";
