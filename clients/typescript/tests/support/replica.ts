/** One stream of an entity, or of a part of it, as the replica knows it. */
import { entityIn, partName, within } from "../../src/core/part.ts";
import type { Replica } from "../../src/core/replica.ts";
import type { JsonValue } from "../../src/messages/types.ts";

/** A stream that one tab reads, and that has its family to itself. */
export function replicaOf(entity: string, fields = false, where?: JsonValue): Replica {
  const name = partName(entity, where);
  const replica: Replica = {
    ...{ entity: entityIn(name), name, within: within(name), fields, readers: new Set(["tab"]) },
    ...{ live: false, since: 0, last: 0, stale: new Set<string>() },
    ...{ family: new Set<Replica>(), batch: [], gone: new Map<string, number>() },
  };
  replica.family.add(replica);
  return replica;
}

/** A stream beside others of its entity. */
export function besides(other: Replica, where?: JsonValue): Replica {
  const { entity, fields, family, batch, gone } = other;
  const replica = { ...replicaOf(entity, fields, where), family, batch, gone };
  family.add(replica);
  return replica;
}
