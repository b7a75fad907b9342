/**
 * What the bundles may weigh, and how that is measured.
 *
 * Knows numbers. Must not know how a bundle is built.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

/**
 * The most that each part may weigh, gzipped, in bytes: what it weighs, rounded up to the
 * next 250. The build fails above it. A change that needs more has to say why; one that
 * saves much lowers it.
 */
export const BUDGETS = {
  /** `rhtmx_server/static/client.js`: everything but React. */
  "client.js": 47_250,
  /** `rhtmx_server/static/forms.js`: forms, without what keeps and shares records. */
  "forms.js": 13_750,
  /** `import { connect }` in a bundle of one's own: without forms and htmx. */
  connect: 40_250,
  /** What judging a typical form adds to a page: the judge and its rules. */
  "rules of a sign-up form": 1_200,
};

/** What a page loads, in bytes: what a server sends for `content` with gzip at its best. */
export function gzipped(content) {
  return gzipSync(content, { level: 9 }).length;
}

/** The value of `integrity` on a `<script>` tag: https://www.w3.org/TR/SRI/. */
export function integrity(content) {
  return `sha384-${createHash("sha384").update(content).digest("base64")}`;
}
