/**
 * Tests of a page or a program that uses this client: a server in memory.
 *
 * Knows what a test may use.
 */
export type { EnteredValues, FieldValidator, Finding, TestForm } from "./forms.ts";
export {
  createServer,
  type RejectOptions,
  type ServerOptions,
  type TestServer,
} from "./server.ts";
