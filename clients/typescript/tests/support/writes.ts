import type { Write } from "../../src/core/storage-ops.ts";

/** A write of a record, in short. */
export function write(id: string, more: Partial<Write> = {}): Write {
  const message = {
    type: "push",
    entity: "tasks",
    entity_id: "1",
    action: "update",
    data: 1,
  } as const;
  return { id, entity: "tasks", entityId: "1", message, since: 0, ...more };
}
