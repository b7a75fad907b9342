/**
 * # Testing
 *
 * A server in the memory of a test: `import { createServer } from "@rhtmx/client/testing"`.
 *
 * @module
 */
export * from "../../clients/typescript/src/testing/index.ts";
