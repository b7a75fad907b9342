/**
 * # Testing
 *
 * A server in the memory of a test: `import { createServer } from "@rhtmx/client/testing"`. The
 * guide of [testing](../docs/guides/testing.md) shows how it is used.
 *
 * @module
 */
export * from "../../clients/typescript/src/testing/index.ts";
