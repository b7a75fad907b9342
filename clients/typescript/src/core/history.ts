/**
 * What has become of a record: its commits as an application sees them, and the write that takes
 * one back.
 *
 * Knows messages. Must not know who asks, nor how a write is sent.
 */

import { RhtmxError } from "../errors.ts";
import type * as m from "../messages/types.ts";
import type { OneDraft } from "./build-message.ts";

/** Which commits of a record to ask for. */
export interface HistoryOptions {
  /** Only those before this version. */
  readonly before?: number | undefined;
  /** Only those up to this time: a text is one that the server has told. */
  readonly until?: Date | string | undefined;
  /** At most so many, 1 to 1000; 100 if left out. */
  readonly limit?: number | undefined;
}

/** One commit of a record: the record as it left it, and who made it. */
export interface RecordCommit<T = m.JsonValue> extends Omit<m.ChangeLog, "data"> {
  /** The whole record after it; `null` after a delete. */
  readonly data: T | null;
  /**
   * The names of the fields that it set or removed, in order; none if the record is no object, or
   * what it was before is not kept any more.
   */
  readonly changed: readonly string[];
  /** The subject that wrote it, if its client has one. */
  readonly subject?: string | undefined;
}

/** The commits of a record, the newest first. */
export interface RecordHistory<T = m.JsonValue> {
  /** These. */
  readonly commits: readonly RecordCommit<T>[];
  /** There may be more: ask for those before this version. */
  readonly before?: number | undefined;
  /**
   * The last one of the commits is the first of the record, or nothing of before may be read.
   * Otherwise, and if `before` is undefined, what was before is not kept any more.
   */
  readonly complete: boolean;
}

/**
 * The question.
 *
 * @throws RhtmxError `bad_message`: no server takes it.
 */
export function historyOf(entity: string, entity_id: string, options: HistoryOptions): m.History {
  const { before, until, limit } = options;
  // A `Date` may be of no time: that is refused where all is checked.
  const time = until instanceof Date ? (until.toJSON() ?? `${until}`) : until;
  return { type: "history", entity, entity_id, before, until: time, limit };
}

/** The answer, as an application sees it. */
export function commitsOf<T>({ commits, before, complete }: m.HistoryResult): RecordHistory<T> {
  const all = commits.map(({ change, ...rest }) => ({ ...change, ...rest }));
  return { commits: all as unknown as RecordCommit<T>[], before, complete };
}

/** The record is not kept as it was then, or may not be read. */
export function notKept(entity: string, id: string, when: string): RhtmxError {
  return new RhtmxError(
    "not_found",
    `'${entity}/${id}' is not kept any more, or may not be read, as it was ${when}`,
  );
}

/**
 * The write that takes back what a commit did, if nothing came after it: of a record with fields
 * only these, so that what others wrote into other fields since stays.
 *
 * @param version the commit.
 * @param history of the record from that commit back, two commits of it.
 * @throws RhtmxError `not_found`: there is no such commit, or what was before is not kept or may
 *   not be read; `invalid_data`: it changed nothing.
 */
export function undoing(
  entity: string,
  entityId: string,
  version: number,
  { commits: [commit, before] }: RecordHistory,
): OneDraft {
  const options = { baseVersion: version };
  if (commit?.version !== version) {
    throw new RhtmxError(
      "not_found",
      `'${entity}/${entityId}' has no commit of version ${version}, or it is not kept any more`,
    );
  }
  const { action, data: now, changed } = commit;
  if (action === "create") return { entity, entityId, action: "delete", data: null, options };
  // It came back from where it may not be read: to delete it would take it from those whose it was.
  if (!before || before.action === "delete") {
    throw notKept(entity, entityId, `before version ${version}`);
  }
  const { data: then } = before;
  if (action === "delete" || !isRecord(now) || !isRecord(then)) {
    const write = action === "delete" ? "create" : "update";
    return { entity, entityId, action: write, data: then, options };
  }
  if (!changed.length) {
    throw new RhtmxError(
      "invalid_data",
      `nothing to undo: '${entity}/${entityId}' stayed as it was`,
    );
  }
  const kept = changed.filter((field) => Object.hasOwn(then, field));
  const values = Object.fromEntries(kept.map((field) => [field, then[field]!]));
  const gone = changed.filter((field) => !Object.hasOwn(then, field));
  return { entity, entityId, values, options: { ...options, ifUnchanged: true, delete: gone } };
}

function isRecord(data: m.JsonValue): data is { readonly [field: string]: m.JsonValue } {
  return typeof data === "object" && !!data && !Array.isArray(data);
}
