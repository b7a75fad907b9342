/**
 * What a store holds, in short.
 */
import type { Store } from "../../src/core/storage-ops.ts";

export async function contentsOf(store: Store) {
  const { entities, writes, rejected, meta } = await store.load();
  const all = [...entities.values()];
  return {
    records: all.flatMap(({ name, records }) => [...records].map(([id, held]) => [name, id, held])),
    places: all.flatMap(({ places }) => [...places]),
    writes: [...writes.values()],
    rejected: [...rejected.values()],
    meta,
  };
}
