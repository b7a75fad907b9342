/**
 * Makes messages from the arguments of the client's calls.
 *
 * Knows which call sends which message. Must not know how it is sent.
 */
import type * as m from "./messages/types.ts";
import type { PatchOptions, ValidateFieldOptions, WriteOptions } from "./options.ts";
import type { Question } from "./requests.ts";

/** A write of a whole record, or its deletion. */
export function push(
  entity: string,
  entityId: string,
  action: m.ChangeAction,
  data: m.JsonValue,
  options: WriteOptions,
): m.Push {
  return {
    type: "push",
    entity,
    entity_id: entityId,
    action,
    data,
    base_version: options.baseVersion,
  };
}

/** Values by name. */
export type Fields = Readonly<Record<string, m.JsonValue>>;

/** A write of some fields, all at one time. */
export function pushFields(
  entity: string,
  entityId: string,
  fields: Fields,
  options: PatchOptions,
): m.PushFields {
  const timestamp = (options.timestamp ?? new Date()).toISOString();
  const update = (field: string, value: m.JsonValue, action: m.FieldAction): m.FieldUpdate => {
    return { field, value, action, timestamp };
  };
  const updates = Object.entries(fields).map(([field, value]) => update(field, value, "update"));
  const deletes = (options.delete ?? []).map((field) => update(field, null, "delete"));
  return {
    type: "push_fields",
    entity,
    entity_id: entityId,
    fields: [...updates, ...deletes],
    base_version: options.baseVersion,
  };
}

/** A question about one field. */
export function validateField(
  form: string,
  field: string,
  value: string,
  options: ValidateFieldOptions,
): Question {
  return {
    type: "validate_field",
    request_id: "",
    form,
    field,
    value,
    form_instance: options.formInstance,
    values: formValues(options.values ?? {}),
  };
}

/** A question about a whole form. */
export function validateForm(
  form: string,
  values: Readonly<Record<string, string>>,
  formInstance: string | undefined,
): Question {
  return {
    type: "validate_form",
    request_id: "",
    form,
    fields: formValues(values),
    form_instance: formInstance,
  };
}

function formValues(values: Readonly<Record<string, string>>): m.FormFieldValue[] {
  return Object.entries(values).map(([field, value]) => ({ field, value }));
}
