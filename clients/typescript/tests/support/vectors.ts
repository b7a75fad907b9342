/**
 * The golden vectors that both languages read; see tests/vectors/README.md.
 */
import { readFileSync } from "node:fs";

import type { OperationAction } from "../../src/core/operations.ts";

export interface GoodVector {
  readonly name: string;
  readonly case: string;
  readonly json: string;
  readonly canonical: string;
  readonly proto: string;
  readonly proto_given?: string;
}

interface FrameVector {
  readonly name: string;
  readonly format: "json" | "proto";
  readonly input?: string;
  readonly hex?: string;
}

export interface NewerVector extends FrameVector {
  readonly reads: string | null;
  readonly notes: readonly [where: string, what: string][];
  readonly words?: Readonly<Record<string, string>>;
}

export interface MalformedVector extends FrameVector {
  readonly code: string;
  readonly path: string;
  readonly unseen_by_javascript?: true;
}

export interface OutgoingVector {
  readonly name: string;
  readonly data: string;
  readonly path: string | null;
}

export interface ShownVector {
  readonly given: string;
  readonly shown: string;
}

export interface OperationVector {
  readonly name: string;
  readonly action: OperationAction;
  readonly stored: string | null;
  readonly operand: string;
  readonly result?: string | null;
  readonly error?: string;
}

function load(name: string): unknown {
  const path = new URL(`../../../../tests/vectors/${name}`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"));
}

export const good = load("messages.json") as GoodVector[];
export const malformed = load("malformed.json") as MalformedVector[];
export const newer = load("newer.json") as NewerVector[];
export const outgoing = load("outgoing.json") as OutgoingVector[];
export const urls = load("urls.json") as ShownVector[];
export const texts = load("texts.json") as ShownVector[];
export const operations = load("operations.json") as OperationVector[];

/** The frame of a vector. */
export function frame({ input, hex }: FrameVector): string | Uint8Array {
  return input ?? bytes(hex ?? "");
}

export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
