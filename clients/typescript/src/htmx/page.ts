/**
 * What is kept up to date in a page by attribute, as it changes: its forms, and what else there is.
 *
 * Knows forms and events. Must not know htmx: it finds what is asked for in the page itself, also
 * when that changes, so that it does not matter which version put it there. Must not know what
 * else than forms is kept up to date: its `Extra` knows.
 */
import { watch as watchDrafts } from "../forms/draft-storage.ts";
import { triggerOf } from "../forms/htmx-requests.ts";
import type { FormsClient } from "../forms/index.ts";
import { bindForm } from "../forms/index.ts";
import { member } from "../forms/member.ts";

/** What may be kept up to date beside forms. */
export interface Extra {
  /** Looks at the page anew. */
  scan(): void;
  /** Leaves the page alone from now on. */
  stop(): void;
}

/**
 * Tells the body of an event, and each element whose own trigger names it.
 *
 * @param concerns whether an element is to be told, if its trigger names it; yes if left out.
 */
export type Fire = (
  name: string,
  detail: object,
  concerns?: (element: HTMLElement) => boolean,
) => void;

const ATTRIBUTES = [
  ...["data-rhtmx-form", "data-rhtmx-changes", "data-rhtmx-watch", "data-rhtmx-inc"],
  ...["data-rhtmx-room", "data-rhtmx-member"],
  ...["hx-trigger", "data-hx-trigger"],
];

const FORMS = "form[data-rhtmx-form]";

/** What needs more than forms do. */
export const MORE =
  '[data-rhtmx-changes],[data-rhtmx-watch],[data-rhtmx-inc],[data-rhtmx-room],[hx-trigger*="rhtmx:"][hx-trigger*=":changed"],[data-hx-trigger*="rhtmx:"][data-hx-trigger*=":changed"]';

/** Elements that something is to be kept up to date for. */
const MARKED = `${FORMS},${MORE},[hx-trigger*="rhtmx:"],[data-hx-trigger*="rhtmx:"]`;

/**
 * Keeps a page up to date, until the returned function is called.
 *
 * @param more makes what is kept up to date beside forms.
 */
export function keepPage(
  client: FormsClient,
  root: ParentNode & Node,
  more: (fire: Fire) => Extra,
): () => void {
  /** What ends it, for each form. */
  const kept = new Map<HTMLFormElement, () => void>();

  const fire: Fire = (name, detail, concerns = () => true) => {
    const type = `rhtmx:${name}`;
    const body = member(document, "body");
    for (const element of new Set([...marked(root), body])) {
      if (element === body || (concerns(element) && triggerOf(element).includes(type))) {
        const event = new CustomEvent(type, { bubbles: element === body, detail });
        member(element, "dispatchEvent")(event);
      }
    }
  };

  const extra = more(fire);
  const scan = () => {
    const wanted = new Set(member(root, "querySelectorAll")<HTMLFormElement>(FORMS));
    for (const [form, stop] of kept) if (!wanted.has(form) && kept.delete(form)) stop();
    for (const form of wanted) {
      if (!kept.has(form)) kept.set(form, bindForm(form, { client }).stop);
    }
    extra.scan();
  };

  const stopState = client.onState((state) => fire("state", { state }));
  const stopLooking = onChange(root, scan);
  scan();
  return () => {
    stopLooking();
    stopState();
    for (const stop of kept.values()) stop();
    extra.stop();
  };
}

/**
 * Starts by itself, from the script tag: opens the tag's `data-url` (`/api/ws` if left out) as
 * soon as the page has something to keep up to date. Not with `data-manual`.
 *
 * @param open connects, and keeps the page up to date.
 */
export function startPage(
  open: (url: string) => void,
  script: HTMLOrSVGElement | null | undefined,
): void {
  if (!script) return;
  watchDrafts();
  if ("manual" in script.dataset) return;
  let isOpen = false;
  const look = () => {
    // A form that has not been read to its end could not be bound as a whole.
    const isReading = member(document, "readyState") === "loading";
    if (isOpen || isReading || !member(document, "querySelector")(MARKED)) return;
    isOpen = true;
    open(script.dataset.url ?? "/api/ws");
  };
  onChange(document, look);
  member(document, "addEventListener")("DOMContentLoaded", look);
  look();
}

/** The elements that something is to be kept up to date for. */
export function marked(root: ParentNode): NodeListOf<HTMLElement> {
  return member(root, "querySelectorAll")<HTMLElement>(MARKED);
}

/** Calls `look` after each change of the page that may concern us, until told to stop. */
function onChange(root: Node, look: () => void): () => void {
  const observer = new MutationObserver(look);
  observer.observe(root, { childList: true, subtree: true, attributeFilter: ATTRIBUTES });
  return () => observer.disconnect();
}
