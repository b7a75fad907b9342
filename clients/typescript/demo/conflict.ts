/**
 * One conflict on the page: both values, and the answers that there are.
 *
 * Knows the elements of its panel. Must not know the task that it is about.
 */

import { find, instantiate, setText } from "../inspector/dom.ts";
import { asText } from "../inspector/values.ts";
import type { Conflict } from "../src/index.ts";
import { bothTexts } from "./merging.ts";
import { fieldInWords } from "./task.ts";
import { conflictInWords, inWords } from "./words.ts";

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

/**
 * A panel for a conflict.
 *
 * @param isParty one of both values was written here; else they are of two other windows.
 */
export function conflictPanel(conflict: Conflict, answers: Answers, isParty = true): HTMLElement {
  const { field = "", mine, theirs } = conflict;
  const panel = instantiate("conflict");
  panel.dataset.field = field;
  const group = find(panel, "[role=group]", HTMLElement);
  group.setAttribute("aria-label", `Conflict: ${fieldInWords(field)}`);
  const say = (selector: string, words: string) =>
    setText(find(panel, selector, HTMLElement), words);
  say(".what", conflictInWords(conflict, isParty));
  say(".theirs", inWords(field, theirs));
  say(".mine", inWords(field, mine));
  if (!isParty) {
    // What lost counts as one's own.
    say(".their", "Saved");
    say(".my", "Lost");
    say(".take", "Leave it");
    say(".keep", "Use the lost one");
  }
  // A task has no field that is deleted: who deleted one has removed the task.
  if (theirs === undefined) say(".take", "Remove the task");
  if (mine === undefined) say(".keep", "Remove the task");
  const button = (selector: string) => find(panel, selector, HTMLButtonElement);
  button(".take").addEventListener("click", answers.theirs);
  button(".keep").addEventListener("click", answers.mine);
  const lines = MERGEABLE.get(field);
  const isWhole = mine !== undefined && theirs !== undefined;
  if (lines === undefined || !isWhole) button(".merge").hidden = true;
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
