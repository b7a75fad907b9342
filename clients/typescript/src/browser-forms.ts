/**
 * What a `<script>` tag gives a page that only has forms, and a start by itself.
 *
 * Knows the parts. Must not know what they do. The names are those of `browser.ts`.
 */
import type { LightOptions } from "./api/light-client.ts";
import { LightClient } from "./api/light-client.ts";
import { member } from "./forms/member.ts";
import { bindFormsPage } from "./htmx/forms-page.ts";
import { startPage } from "./htmx/page.ts";

export { RhtmxError } from "./errors.ts";
export { bindForm } from "./forms/index.ts";
export { ERRORS, SCHEMA_HASH } from "./messages/tables.ts";
export { bindFormsPage as bindPage };

/** Connects; see `LightClient`. */
export const connect = (url: string, options?: LightOptions) => new LightClient(url, options);

startPage(
  (url) => void bindFormsPage(connect(url)),
  globalThis.document && member(document, "currentScript"),
);
