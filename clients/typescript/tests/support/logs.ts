import type { ChangeLog, FieldChangeLog, JsonValue } from "../../src/messages/types.ts";

const TIME = "2026-11-22T10:00:00Z";

/** A change of a record of `users`. */
export function record(version: number, data: JsonValue = { n: version }): ChangeLog {
  const common = { entity: "users", entity_id: "1", created_at: TIME };
  return { ...common, action: "update", data, version };
}

/** A change of a field of a record of `users`; `more`: another one of that version follows. */
export function field(version: number, name: string, more?: true): FieldChangeLog {
  const common = { entity: "users", entity_id: "1", timestamp: TIME };
  return { ...common, action: "update", field: name, value: version, version, more };
}
