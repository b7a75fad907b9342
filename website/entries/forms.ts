/**
 * # Forms
 *
 * Forms that the server checks while they are filled in: `import { bindForm } from "@rhtmx/client/forms"`.
 *
 * @module
 */
export * from "../../clients/typescript/src/forms/index.ts";
