/**
 * What users typed and did not send yet survives a reload, for the very same forms.
 *
 * Knows the storage of the tab and the life of a page. Must not know controls.
 *
 * A draft is written when the page is left or hidden, of the forms that are on it
 * then, and read once, by the page that is loaded in its place: by a reload, or by
 * going back. What is opened in a page that goes on, or by a link, is a form of its
 * own.
 *
 * In `sessionStorage`: what someone typed is gone with the tab, which matters where
 * several people use one computer. A tab that is duplicated has a copy of the
 * storage, but nothing of a page that is being looked at is in there.
 */

import type { Draft, Kept } from "./draft.ts";
import { makeDraft } from "./draft.ts";
import { member } from "./member.ts";
import { digest } from "./target.ts";
import type { FormsClient } from "./types.ts";

const PREFIX = "rhtmx:draft ";

/** Where, whether it was submitted and that loads the next page, and what. */
type Stored = readonly [url: string, isSent: boolean, kept: readonly Kept[]];

/** Where this page was loaded from: a script may show another address, for another form. */
const loaded = globalThis.location?.href;

/** By form, so that binding one anew goes on with its draft. */
const drafts = new WeakMap<HTMLFormElement, Draft>();
/** Those forms: one that is gone is not held. */
const forms: WeakRef<HTMLFormElement>[] = [];
/** What this page has written, while it is hidden. */
let written: string[] = [];
let isWatching = false;

/** The draft of a form; the same for each call. */
export function draftOf(form: HTMLFormElement, name: string, client: FormsClient): Draft {
  watch();
  const known = drafts.get(form);
  if (known) return known;
  const draft = makeDraft(form, name, (field) => !!client.isSecret?.(field));
  drafts.set(form, draft);
  forms.push(new WeakRef(form));
  return draft;
}

/** Puts back what the page before this one has kept of a form. */
export function restore(draft: Draft): void {
  attempt(() => {
    const key = keyOf(draft);
    const stored = sessionStorage[key];
    if (!stored || written.includes(key) || location.href !== loaded) return;
    delete sessionStorage[key];
    draft.restore((JSON.parse(stored) as Stored)[2]);
  });
}

/** The drafts of the forms that are in the page. */
function present(): Draft[] {
  return forms.flatMap((each) => {
    const form = each.deref();
    return form && member(form, "isConnected") ? [drafts.get(form)!] : [];
  });
}

/** Drops what has arrived: once in each page, also in one without a form. */
export function watch(): void {
  if (isWatching) return;
  isWatching = true;
  attempt(dropArrived);
  addEventListener("pagehide", store);
  addEventListener("pageshow", ({ persisted }) => {
    // Back from the browser's cache: the page that answered has dropped what arrived.
    if (persisted)
      attempt(() => present().forEach((each) => each.settle(!(keyOf(each) in sessionStorage))));
    takeBack();
  });
  member(document, "addEventListener")("visibilitychange", () => {
    if (member(document, "visibilityState") === "hidden") store();
    else takeBack();
  });
}

function store(): void {
  takeBack();
  const all = present();
  const keys = all.map(keyOf);
  all.forEach((each, index) => {
    const key = keys[index]!;
    // Of two that are alike nobody could tell whose it is.
    if (keys.indexOf(key) !== keys.lastIndexOf(key)) return;
    attempt(() => {
      const kept = each.kept();
      if (!kept.length) return;
      const draft: Stored = [location.href, each.isSent(), kept];
      sessionStorage[key] = JSON.stringify(draft);
      written.push(key);
    });
  });
}

function takeBack(): void {
  attempt(() => written.forEach((key) => sessionStorage.removeItem(key)));
  written = [];
}

/**
 * A page that was loaded without an error answers what the page before it sent, and
 * begins anew with its own forms; unless it is there by going back or, to itself, by a
 * reload.
 */
function dropArrived(): void {
  const [{ type = "", responseStatus = 0 } = {}] = navigations();
  if (type === "back_forward") return;
  for (const key of Object.keys(sessionStorage).filter((each) => each.startsWith(PREFIX))) {
    attempt(() => {
      const [url, isSent, kept] = JSON.parse(sessionStorage[key]) as Stored;
      if (responseStatus >= 400) sessionStorage[key] = JSON.stringify([url, false, kept]);
      else if (url === loaded ? type !== "reload" : isSent) delete sessionStorage[key];
    });
  }
}

function navigations(): Partial<PerformanceNavigationTiming>[] {
  return performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
}

function keyOf({ about }: Draft): string {
  return `${PREFIX}${digest([location.href, about])}`;
}

/** A storage that is empty, full, forbidden or full of rubbish costs the draft, not the form. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // Nothing is kept, then.
  }
}
