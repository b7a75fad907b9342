import type { ErrorCode, JsonValue, MergeStrategy, Push, PushFields, Winner } from "../src/messages/types.ts";
import type { RhtmxError, Stop } from "../src/index.ts";
export interface Row<T = JsonValue> { readonly id: string; readonly data: T; readonly version: number; readonly pending: boolean }
export interface Conflict {
  readonly entity: string; readonly id: string; readonly field?: string;
  readonly mine?: JsonValue; readonly theirs?: JsonValue; readonly winner: Winner; readonly version: number; readonly strategy?: MergeStrategy;
  keepMine(): Promise<unknown>; takeTheirs(): Promise<unknown>; merge(value: JsonValue): Promise<unknown>;
}
export interface Pending { readonly id: string; readonly seq: number; readonly entity: string; readonly entityId: string; readonly message: Push | PushFields; readonly since: number }
export interface Rejected { readonly id: string; readonly message: Push | PushFields; readonly code: ErrorCode; readonly text: string; readonly details?: JsonValue; retry(): Promise<unknown>; discard(): void }
export type State = "connecting" | "open" | "waiting" | "offline" | "closed";
export interface Collection<T = JsonValue> {
  readonly ready: Promise<void>; readonly synced: Promise<void>; readonly snapshot: readonly Row<T>[];
  row(id: string): Row<T> | undefined;
  set(id: string, data: T, options?: { baseVersion?: number | undefined }): Promise<unknown>;
  patch(id: string, fields: Readonly<Record<string, JsonValue>>, options?: { delete?: readonly string[]; baseVersion?: number | undefined }): Promise<unknown>;
  delete(id: string, options?: { baseVersion?: number | undefined }): Promise<unknown>;
  subscribe(cb: (rows: readonly Row<T>[]) => void): Stop;
  onConflict(cb: (conflict: Conflict) => void): Stop;
}
export interface Client {
  readonly state: State; onState(cb: (state: State, error: RhtmxError | undefined) => void): Stop; onError(cb: (error: RhtmxError) => void): Stop;
  readonly queue: readonly Pending[]; onQueue(cb: () => void): Stop;
  readonly rejected: readonly Rejected[]; onRejected(cb: () => void): Stop;
  onConflict(cb: (conflict: Conflict) => void): Stop;
  offline(): void; online(): void;
  collection<T = JsonValue>(entity: string): Collection<T>;
}
