/**
 * # Schema
 *
 * What is declared of the entities and forms of an application's schema, and what generated code imports: `import { toDate } from "@rhtmx/client/schema"`.
 *
 * @module
 */
export * from "../../clients/typescript/src/schema.ts";
