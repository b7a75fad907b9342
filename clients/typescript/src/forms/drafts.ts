/**
 * What a user typed and did not send yet survives a reload, for the very same form.
 *
 * Knows controls and the storage of the tab. Must not know when a form is asked about.
 *
 * A draft is written when the page is left or hidden, of the forms that are on it
 * then, and read once, by the page that is loaded in its place: by a reload, or by
 * going back. What is opened in a page that goes on, or by a link, is a form of its
 * own. It is of each control that the user edited, and for that control as it was
 * found then: where the server, or a script, has put something else, that stays.
 *
 * In `sessionStorage`: what someone typed is gone with the tab, which matters where
 * several people use one computer. A tab that is duplicated has a copy of the
 * storage, but nothing of a page that is being looked at is in there. Never kept:
 * what is hidden, a file, a password (also one that the page shows for a moment), a
 * card, a code that is used once, and whatever the page asks the browser not to
 * remember (`autocomplete="off"`, of the control or the form).
 */
import { member } from "./member.ts";
import { controlsOf, isSame, nameOf } from "./values.ts";
import type { Control } from "./types.ts";

const PREFIX = "rhtmx:draft ";

const PRIVATE = /^(file|hidden) |passw|pwd|card|cvc|cvv|\boff\b|\bcc-|one-time/i;

/** Names of hidden fields that have another value on every load; see the server's `NO_FIELDS`. */
const TOKEN = /^_|csrf|token|nonce/i;

/** A text, whether it is ticked, or which options are selected. */
type Entry = string | boolean | readonly string[];

/** A control by name and number, how its name's controls were rendered, what it had first, and what then. */
type Kept = readonly [
  name: string,
  index: number,
  rendered: unknown,
  found: Entry | undefined,
  entry: Entry,
];

interface Stored {
  readonly url: string;
  /** It was submitted, and that loads the next page. */
  readonly isSent: boolean;
  readonly kept: readonly Kept[];
}

/** The draft of one form. */
export interface Draft {
  /** The user edited a control. */
  note(control: Control): void;
  /**
   * What was edited goes.
   *
   * @param leaves tells whether that loads another page, at any time until it does.
   */
  send(leaves: () => boolean): void;
  /** What went has arrived, or has not. */
  settle(arrived: boolean): void;
  /** There is none. */
  forget(): void;
  /**
   * Puts back what was kept, and tells each control's listeners by the events that
   * come with typing it again.
   */
  restore(): void;
  /** What it is kept under now. */
  key(): string;
  /** For the next page. */
  store(): void;
  /** Back from the browser's cache. */
  resume(): void;
}

/** Where this page was loaded from: a script may show another address, for another form. */
const loaded = globalThis.location?.href;

/** By form, so that binding one anew goes on with its draft. */
const drafts = new Map<HTMLFormElement, Draft>();
/** What this page has written, while it is hidden. */
let written: string[] = [];
let isWatching = false;

/** The draft of a form; the same for each call. */
export function draftOf(form: HTMLFormElement, name: string): Draft {
  watch();
  const known = drafts.get(form);
  if (known) return known;
  for (const each of drafts.keys()) if (!member(each, "isConnected")) drafts.delete(each);
  const draft = makeDraft(form, name);
  drafts.set(form, draft);
  return draft;
}

/** Drops what has arrived: once in each page, also in one without a form. */
export function watch(): void {
  if (isWatching) return;
  isWatching = true;
  attempt(dropArrived);
  addEventListener("pagehide", store);
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) for (const each of drafts.values()) attempt(each.resume);
    takeBack();
  });
  member(document, "addEventListener")("visibilitychange", () => {
    if (member(document, "visibilityState") === "hidden") store();
    else takeBack();
  });
}

function store(): void {
  takeBack();
  for (const each of drafts.values()) attempt(each.store);
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
      const draft = JSON.parse(sessionStorage[key]) as Stored;
      if (responseStatus >= 400) sessionStorage[key] = JSON.stringify({ ...draft, isSent: false });
      else if (draft.url === loaded ? type !== "reload" : draft.isSent) delete sessionStorage[key];
    });
  }
}

function navigations(): Partial<PerformanceNavigationTiming>[] {
  return performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
}

function makeDraft(form: HTMLFormElement, name: string): Draft {
  const target = targetOf(form, name);
  const key = () => PREFIX + JSON.stringify([location.href, ...target]);
  const found = new WeakMap(controlsOf(form).map((each) => [each, entryOf(each)]));
  /** What the user edited, with how it was rendered. */
  const edited = new Map<Control, unknown>();
  /** What of it is under way. */
  const sent = new Map<Control, unknown>();
  let leaves = () => false;

  const settle = (arrived: boolean) => {
    for (const [each, rendered] of arrived ? [] : sent) {
      if (!edited.has(each)) edited.set(each, rendered);
    }
    sent.clear();
    leaves = () => false;
  };

  const kept = (): Kept[] =>
    [...new Map([...sent, ...edited])].flatMap(([each, rendered]) => {
      const own = nameOf(each);
      const index = controlsOf(form, own).indexOf(each);
      if (index < 0 || each.validity.badInput) return [];
      return [[own, index, rendered, found.get(each), entryOf(each)]];
    });

  return {
    note(control) {
      if (!isKeepable(form, control) || edited.has(control)) return;
      edited.set(control, sent.get(control) ?? renderedOf(form, nameOf(control)));
      // It may have been left out for a moment in which it was in no page.
      drafts.set(form, this);
    },
    send(isLeaving) {
      for (const each of edited) sent.set(...each);
      edited.clear();
      leaves = isLeaving;
    },
    settle,
    forget() {
      settle(true);
      edited.clear();
    },
    restore() {
      attempt(() => {
        const own = key();
        const stored = sessionStorage[own];
        if (!stored || written.includes(own) || location.href !== loaded) return;
        delete sessionStorage[own];
        const fitting = (JSON.parse(stored) as Stored).kept.flatMap(
          ([own, index, rendered, first, entry]) => {
            const control = controlsOf(form, own)[index];
            const now = control && found.get(control);
            const fits =
              control &&
              isKeepable(form, control) &&
              !control.matches(":disabled,[readonly]") &&
              isSame(renderedOf(form, own), rendered) &&
              // The browser may have put it there itself.
              (isSame(now, first) || isSame(now, entry));
            return fits ? [[control, rendered, entry] as const] : [];
          },
        );
        for (const [control, rendered] of fitting) edited.set(control, rendered);
        for (const [control, , entry] of fitting) put(control, entry);
      });
    },
    key,
    store() {
      const own = key();
      const all = kept();
      // Of two that are alike nobody could tell whose it is.
      const isAlone = [...drafts].every(
        ([other, { key }]) => other === form || !member(other, "isConnected") || key() !== own,
      );
      if (!all.length || !member(form, "isConnected") || !isAlone) return;
      const draft: Stored = { url: location.href, isSent: leaves() && !edited.size, kept: all };
      sessionStorage[own] = JSON.stringify(draft);
      written.push(own);
    },
    resume() {
      // The page that answered has dropped what arrived.
      if (leaves()) settle(!(key() in sessionStorage));
    },
  };
}

/** A storage that is empty, full, forbidden or full of rubbish costs the draft, not the form. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // Nothing is kept, then.
  }
}

/** What a form is about, as far as the page says: its name, where it goes, and of which record it is. */
function targetOf(form: HTMLFormElement, name: string): unknown[] {
  const attribute = member(form, "getAttribute");
  const own = ["id", "name", "action", "hx-post", "hx-put", "hx-patch"].map(
    (each) => attribute(each) ?? attribute(`data-${each}`),
  );
  const hidden = controlsOf(form).filter(
    (each) => each.type === "hidden" && !TOKEN.test(nameOf(each)),
  );
  return [name, ...own, ...hidden.map((each) => [nameOf(each), each.value])];
}

/** How the controls of a name were rendered: together, since they answer one question. */
function renderedOf(form: HTMLFormElement, name: string): unknown {
  return controlsOf(form, name).map((each) => {
    const { type, defaultValue, defaultChecked, options = [] } = each as Everything;
    const choices = [...options].map((option) => [option.value, option.defaultSelected]);
    return [type, defaultValue, defaultChecked, choices];
  });
}

type Everything = Partial<HTMLInputElement> & { options?: HTMLOptionsCollection };

function isKeepable(form: HTMLFormElement, control: Control): boolean {
  const fill = control.getAttribute("autocomplete") ?? member(form, "getAttribute")("autocomplete");
  // What an element of the page's own was rendered with cannot be known.
  const isNative = "defaultValue" in control || "options" in control;
  return isNative && !PRIVATE.test(`${control.type} ${fill} ${nameOf(control)}`);
}

function entryOf(control: Control): Entry {
  if ("options" in control) return [...control.selectedOptions].map((each) => each.value);
  return /box|radio/.test(control.type) ? (control as HTMLInputElement).checked : control.value;
}

function put(control: Control, entry: Entry): void {
  const tell = (type: string) => control.dispatchEvent(new Event(type, { bubbles: true }));
  if (typeof entry === "boolean") {
    // Each framework has its own idea of which event tells of a box; a click is all of them.
    if ((control as HTMLInputElement).checked !== entry) control.click();
  } else if ("options" in control) {
    for (const option of control.options) option.selected = entry.includes(option.value);
    tell("input");
    tell("change");
  } else {
    // As its class does it: React 19 takes note of what scripts write to the property.
    Reflect.set(Object.getPrototypeOf(control), "value", entry, control);
    tell("input");
  }
}
