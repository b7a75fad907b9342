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
 * storage, but nothing of a page that is being looked at is in there.
 */
import { entryOf, isKeepable, put, renderedOf } from "./entries.ts";
import { member } from "./member.ts";
import { controlsOf, isSame, nameOf } from "./values.ts";
import type { Entry } from "./entries.ts";
import type { Control } from "./types.ts";

const PREFIX = "rhtmx:draft ";

/** Names of hidden fields that have another value on every load; see the server's `NO_FIELDS`. */
const TOKEN = /^_|csrf|token|nonce/i;

/** A control by name and number, how its name's controls were rendered, what it had first, and what then. */
type Kept = readonly [
  name: string,
  index: number,
  rendered: number,
  found: Entry | undefined,
  entry: Entry,
];

/** Where, whether it was submitted and that loads the next page, and what. */
type Stored = readonly [url: string, isSent: boolean, kept: readonly Kept[]];

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
const drafts = new WeakMap<HTMLFormElement, Draft>();
/** Those forms: one that is gone is not held. */
const forms: WeakRef<HTMLFormElement>[] = [];
/** What this page has written, while it is hidden. */
let written: string[] = [];
let isWatching = false;

/** The draft of a form; the same for each call. */
export function draftOf(form: HTMLFormElement, name: string): Draft {
  watch();
  const known = drafts.get(form);
  if (known) return known;
  const draft = makeDraft(form, name);
  drafts.set(form, draft);
  forms.push(new WeakRef(form));
  return draft;
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
    if (persisted) for (const each of present()) attempt(each.resume);
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
  const keys = all.map((each) => each.key());
  all.forEach((each, index) => {
    // Of two that are alike nobody could tell whose it is.
    if (keys.indexOf(keys[index]!) === keys.lastIndexOf(keys[index]!)) attempt(each.store);
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

function makeDraft(form: HTMLFormElement, name: string): Draft {
  const target = targetOf(form, name);
  const key = () => `${PREFIX}${digest([location.href, target])}`;
  const found = new WeakMap<Control, Entry | undefined>(
    controlsOf(form).map((each) => [each, entryOf(each)]),
  );
  /** What the user edited, with how it was rendered. */
  const edited = new Map<Control, number>();
  /** What of it is under way. */
  const sent = new Map<Control, number>();
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
      edited.set(control, digest(renderedOf(form, nameOf(control))));
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
        const fitting = (JSON.parse(stored) as Stored)[2].flatMap(
          ([own, index, rendered, first, entry]) => {
            const control = controlsOf(form, own)[index];
            const now = control && found.get(control);
            const fits =
              control &&
              isKeepable(form, control) &&
              !control.matches(":disabled,[readonly]") &&
              digest(renderedOf(form, own)) === rendered &&
              // The browser may have put it there itself.
              (isSame(now, first) || isSame(now, entry));
            return fits ? [[control, rendered, entry, first] as const] : [];
          },
        );
        for (const [control, rendered, , first] of fitting) {
          edited.set(control, rendered);
          found.set(control, first);
        }
        for (const [control, , entry] of fitting) put(control, entry);
      });
    },
    key,
    store() {
      const own = key();
      const all = kept();
      if (all.length === 0) return;
      const draft: Stored = [location.href, leaves() && !edited.size, all];
      sessionStorage[own] = JSON.stringify(draft);
      written.push(own);
    },
    resume() {
      // The page that answered has dropped what arrived.
      settle(!(key() in sessionStorage));
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

/**
 * What is only compared, in short (FNV-1a, 32 bits): a hidden field may hold what must
 * not lie in the storage.
 */
function digest(value: unknown): number {
  let hash = 0x811c9dc5;
  for (const each of JSON.stringify(value)) {
    hash = Math.imul(hash ^ each.codePointAt(0)!, 0x01000193);
  }
  return hash;
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
