/**
 * What a script tag gives a page: the global `rhtmx`.
 *
 * Knows what belongs on a page without a build step: the client, and beside it
 * whatever binds itself to the page.
 */
export * from "./index.ts";
