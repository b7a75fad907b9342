/**
 * The golden vectors that both languages read; see tests/vectors/README.md.
 */
import { readFileSync } from "node:fs";

export interface GoodVector {
  readonly name: string;
  readonly case: string;
  readonly json: string;
  readonly canonical: string;
  readonly proto: string;
  readonly proto_given?: string;
  readonly lossy_in_javascript?: true;
}

export interface MalformedVector {
  readonly name: string;
  readonly format: "json" | "proto";
  readonly input?: string;
  readonly hex?: string;
  readonly code: string;
  readonly path: string;
  readonly unseen_by_javascript?: true;
}

function load(name: string): unknown {
  const path = new URL(`../../../../tests/vectors/${name}`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"));
}

export const good = load("messages.json") as GoodVector[];
export const malformed = load("malformed.json") as MalformedVector[];

/** The frame of a malformed vector. */
export function frame({ input, hex }: MalformedVector): string | Uint8Array {
  return input ?? bytes(hex ?? "");
}

export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
