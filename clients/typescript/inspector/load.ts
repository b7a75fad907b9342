/**
 * Asks the server for its schema.
 *
 * Knows where it is. Must not know what is in it.
 */

import type { JsonValue } from "../src/index.ts";
import { describe, NO_SCHEMA, type SchemaFacts } from "./describe.ts";

/** What is used of the browser's `fetch`. */
export type Fetch = (path: string, options: RequestInit) => Promise<Response>;

/** The schema of the application, or why there is none. */
export interface Loaded {
  readonly schema: SchemaFacts;
  /** Why there is none, in words; empty if there is one. */
  readonly problem: string;
}

/**
 * Asks for it, as whom the page is: with its cookies.
 *
 * @param token says it, too, if it is not empty.
 */
export async function loadSchema(fetch: Fetch, token = ""): Promise<Loaded> {
  const none = (problem: string): Loaded => ({ schema: NO_SCHEMA, problem });
  try {
    const headers = {
      Accept: "application/schema+json",
      ...(token && { Authorization: `Bearer ${token}` }),
    };
    const response = await fetch("api/schema", { headers });
    if (response.status === 404) return none("This application has no schema.");
    if (!response.ok) return none(`The server does not show its schema (${response.status}).`);
    return { schema: describe((await response.json()) as JsonValue), problem: "" };
  } catch (error) {
    return none(`The schema could not be loaded: ${(error as Error).message}.`);
  }
}
