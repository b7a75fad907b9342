/**
 * # Client
 *
 * The client: `import { connect } from "@rhtmx/client"`. In a page without a build step `/api/client.js` has the same names in the global `rhtmx`.
 *
 * @module
 */
export * from "../../clients/typescript/src/index.ts";
