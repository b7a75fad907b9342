/**
 * The client's state, in words.
 *
 * Knows what the client tells of itself. Must not know the page.
 */
import { bytesInWords } from "./words.ts";
import type { Position } from "../src/index.ts";

/** What is told. */
export interface Facts {
  readonly state: string;
  readonly clientId: string | undefined;
  /** By entity. */
  readonly positions: Readonly<Record<string, Position | undefined>>;
  /** How many records are held. */
  readonly records: number;
  /** Whether this tab has the connection; undefined: each tab has one. */
  readonly leads: boolean | undefined;
  /** Bytes that this site keeps in the browser; undefined: it does not say. */
  readonly bytes: number | undefined;
}

/** Those facts by their place on the page. */
export function factsInWords(facts: Facts): Readonly<Record<string, string>> {
  const { state, clientId, positions, records, leads, bytes } = facts;
  const known = Object.entries(positions).filter((each): each is [string, Position] => !!each[1]);
  const epochs = new Set(known.map(([, { epoch }]) => epoch).filter(Boolean));
  const stored = `${records === 1 ? "1 record" : `${records} records`} in this tab`;
  return {
    connection: state,
    client: clientId ?? "none yet",
    epoch: [...epochs].join(", ") || "none yet",
    positions: known.map(([entity, { version }]) => `${entity} ${version}`).join(", ") || "none yet",
    tab: TABS[String(leads)]!,
    stored: bytes === undefined ? stored : `${stored}, ${bytesInWords(bytes)} in this browser`,
  };
}

const TABS: Readonly<Record<string, string>> = {
  true: "leads: it has the connection of all tabs",
  false: "follows: another tab has the connection",
  undefined: "has a connection of its own",
};
