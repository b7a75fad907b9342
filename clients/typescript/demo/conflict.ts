/**
 * One conflict on the page: both values, and the answers that there are.
 *
 * Knows the elements of its panel. Must not know the task that it is about.
 */

import type { Conflict } from "../src/index.ts";
import { find, instantiate, setText } from "./dom.ts";
import { bothTexts } from "./merging.ts";
import { asText } from "./task.ts";
import { conflictInWords, fieldInWords, inWords } from "./words.ts";

/** How a conflict can be answered. */
export interface Answers {
  theirs(): void;
  mine(): void;
  both(text: string): void;
}

/** Fields that two texts make one text in, and whether they have several lines. */
const MERGEABLE: ReadonlyMap<string, boolean> = new Map<string, boolean>([
  ["title", false],
  ["assignee", false],
  ["notes", true],
]);

/** A panel for a conflict. */
export function conflictPanel(conflict: Conflict, answers: Answers): HTMLElement {
  const { field = "", mine, theirs } = conflict;
  const panel = instantiate("conflict");
  panel.dataset.field = field;
  const group = find(panel, "[role=group]", HTMLElement);
  group.setAttribute("aria-label", `Conflict: ${fieldInWords(field)}`);
  setText(find(panel, ".what", HTMLElement), conflictInWords(conflict));
  setText(find(panel, ".theirs", HTMLElement), inWords(field, theirs));
  setText(find(panel, ".mine", HTMLElement), inWords(field, mine));
  const button = (selector: string) => find(panel, selector, HTMLButtonElement);
  if (theirs === undefined) setText(button(".take"), "Remove the task");
  button(".take").addEventListener("click", answers.theirs);
  button(".keep").addEventListener("click", answers.mine);
  const lines = MERGEABLE.get(field);
  if (lines === undefined || theirs === undefined) button(".merge").hidden = true;
  else offerMerge(panel, bothTexts(asText(mine), asText(theirs), lines), answers);
  return panel;
}

/** Lets the user make one text out of both. */
function offerMerge(panel: HTMLElement, proposal: string, answers: Answers): void {
  const form = find(panel, "form", HTMLFormElement);
  const text = find(form, "textarea", HTMLTextAreaElement);
  const merge = find(panel, ".merge", HTMLButtonElement);
  text.value = proposal;
  const show = (shown: boolean) => {
    form.hidden = !shown;
    merge.setAttribute("aria-expanded", String(shown));
    (shown ? text : merge).focus();
  };
  merge.setAttribute("aria-expanded", "false");
  merge.addEventListener("click", () => show(Boolean(form.hidden)));
  find(form, ".cancel", HTMLButtonElement).addEventListener("click", () => show(false));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answers.both(text.value.trim());
  });
}
