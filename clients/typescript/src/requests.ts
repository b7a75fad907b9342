/**
 * Questions, which change nothing and are asked again on the next connection.
 */
import type { Authenticate, ValidateField, ValidateForm } from "./messages/types.ts";

/** What can be asked. */
export type Question = Authenticate | ValidateField | ValidateForm;
