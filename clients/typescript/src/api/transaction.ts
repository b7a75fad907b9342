/**
 * Several writes that take effect together, as an application makes them.
 *
 * Knows what is collected, and for how long. Must not know how it is kept or sent.
 */
import type {
  Fields,
  OneDraft,
  PatchOptions,
  SeveralDraft,
  WriteOptions,
} from "../core/build-message.ts";
import { copyOf, push } from "../core/build-message.ts";
import type * as m from "../messages/types.ts";
import { refuse } from "../wire/fail.ts";
import { checkFromClient } from "../wire/index.ts";
import type { Collection, Patch } from "./collection.ts";

/**
 * What is written in one transaction, each write on what those before it have made. A collection
 * may be named, or given: then its type says what fits.
 */
export interface TransactionWrites {
  /**
   * Writes a whole record.
   *
   * @throws RhtmxError `bad_message`: it cannot be written.
   */
  set<T = m.JsonValue>(
    entity: string | Collection<T>,
    id: string,
    data: NoInfer<T>,
    options?: WriteOptions,
  ): void;
  /**
   * Writes some fields of a record, or says what to do with them. It builds on what is held of
   * the record, unless `options` say otherwise.
   *
   * @throws RhtmxError `bad_message`: a value is no JSON.
   */
  patch(entity: string, id: string, fields: Fields, options?: PatchOptions): void;
  /** The same, of a record whose type is known. */
  patch<T>(
    entity: string | Collection<T>,
    id: string,
    fields: Patch<NoInfer<T>>,
    options?: PatchOptions,
  ): void;
  /** Deletes a record. */
  delete<T>(entity: string | Collection<T>, id: string, options?: WriteOptions): void;
}

/**
 * What a function writes, as one.
 *
 * @throws RhtmxError `bad_message`: it writes what cannot be written, or returns a promise.
 */
export function collected(act: (writes: TransactionWrites) => unknown): SeveralDraft {
  const drafts: OneDraft[] = [];
  let isOver = false;
  let schemaVersion: number | undefined;
  const add = (draft: OneDraft) => {
    if (isOver) refuse("transaction", "it must not be async");
    drafts.push(draft);
  };
  const nameOf = (named: Named): string => {
    schemaVersion ??= Object(named).schemaVersion;
    return Object(named).entity ?? named;
  };
  // Copies: what is given may change before the function ends.
  const record = (
    action: m.ChangeAction,
    entity: Named,
    id: string,
    data: unknown,
    options: WriteOptions = {},
  ) => add(checkFromClient(push(nameOf(entity), id, action, data as m.JsonValue, options)));
  const result = act({
    set: (...said) => record("update", ...said),
    patch(entity: Named, entityId: string, fields: object, options: PatchOptions = {}) {
      const values = copyOf(fields as Fields);
      add({ entity: nameOf(entity), entityId, values, options, seen: true });
    },
    delete: (entity, id, options) => record("delete", entity, id, null, options),
  });
  isOver = true;
  if (result instanceof Promise) refuse("transaction", "it must not be async");
  return { drafts, schemaVersion };
}

type Named = string | { readonly entity: string; readonly schemaVersion?: number | undefined };
