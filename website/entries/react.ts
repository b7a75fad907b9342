/**
 * # React
 *
 * Hooks for React 18 and later: `import { useCollection } from "@rhtmx/client/react"`.
 *
 * @module
 */
export * from "../../clients/typescript/src/react/index.ts";
