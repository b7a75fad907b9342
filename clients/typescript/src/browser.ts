/**
 * What a `<script>` tag gives a page: everything but React, and a start by itself.
 *
 * Knows the parts. Must not know what they do.
 */
import { connect } from "./api/client.ts";
import { member } from "./forms/member.ts";
import { start } from "./htmx/index.ts";

export { bindForm } from "./forms/index.ts";
export { bindPage } from "./htmx/index.ts";
export {
  add,
  append,
  deleteKey,
  ERRORS,
  inc,
  max,
  min,
  RhtmxError,
  remove,
  SCHEMA_HASH,
  setKey,
} from "./index.ts";
export { connect };

start(connect, globalThis.document && member(document, "currentScript"));
