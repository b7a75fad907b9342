/**
 * Pages that only have forms, by attribute.
 *
 * Knows what it cannot do. Must not know how it is done elsewhere.
 */
import type { FormsClient } from "../forms/index.ts";
import { member } from "../forms/member.ts";
import { keepPage, MORE } from "./page.ts";

/**
 * Binds the forms of a page (`data-rhtmx-form="contact"`), also those that come later, and tells
 * of `rhtmx:state`, until the returned function is called; see `bindPage` of the whole client.
 * What else the page asks for by attribute is logged as an error, once.
 *
 * @param root where to look; the document if left out.
 */
export function bindFormsPage(client: FormsClient, root: ParentNode & Node = document): () => void {
  let isSaid = false;
  return keepPage(client, root, () => ({
    scan() {
      const element = !isSaid && member(root, "querySelector")(MORE);
      if (!element) return;
      isSaid = true;
      const words = "needs /api/client.js, which has all of /api/forms.js: load it instead";
      console.error("rhtmx:", element, words);
    },
    stop() {},
  }));
}
