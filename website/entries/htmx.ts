/**
 * # htmx
 *
 * Pages without a script of their own: `import { bindPage } from "@rhtmx/client/htmx"`.
 *
 * @module
 */
export * from "../../clients/typescript/src/htmx/index.ts";
