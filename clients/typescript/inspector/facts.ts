/**
 * The client's state, in words.
 *
 * Knows what the client tells of itself. Must not know the page.
 */

import type { Info } from "../src/index.ts";
import { bytesInWords } from "./words.ts";

/** What is told. */
export interface Facts extends Info {
  readonly state: string;
  /** How many records are held. */
  readonly records: number;
  /** Bytes that this site keeps in the browser; undefined: it does not say. */
  readonly bytes: number | undefined;
}

/** Those facts by their place on the page. */
export function factsInWords(facts: Facts): Readonly<Record<string, string>> {
  const { state, clientId, epoch, node, positions, records, leads, bytes } = facts;
  const known = Object.entries(positions)
    .filter(([, version]) => version !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const stored = `${records === 1 ? "1 record" : `${records} records`} in this tab`;
  return {
    connection: node && state === "open" ? `${state}, to the node ${node}` : state,
    client: clientId || NONE,
    epoch: epoch || NONE,
    positions: known.map(([entity, version]) => `${entity} ${version}`).join(", ") || NONE,
    tab: leads ? "leads: it has the connection" : "follows: another tab has the connection",
    stored: bytes === undefined ? stored : `${stored}, ${bytesInWords(bytes)} in this browser`,
  };
}

const NONE = "none yet";
