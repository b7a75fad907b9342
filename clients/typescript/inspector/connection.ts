/**
 * Says on the page how the connection is, and lets one do without.
 *
 * Knows the client's states and the words for them. Must not know what the
 * connection is used for.
 */

import type { Client, RhtmxError, State } from "../src/index.ts";
import { find, setText } from "./dom.ts";

/** What is used of a storage of the browser. */
export type TextStorage = Pick<Storage, "getItem" | "setItem">;

const KEY = "rhtmx-demo:offline";

/** Shows the state of the client now and from now on. */
export function showConnection(client: Client): void {
  const place = find(document, "#connection", HTMLElement);
  let wasOpen = false;
  const show = (state: State, error?: RhtmxError) => {
    wasOpen ||= state === "open";
    const shown = shownState(state, wasOpen);
    place.dataset.state = shown;
    setText(find(place, "strong", HTMLElement), WORDS[shown]);
    const reason = shown === "closed" && error ? `${error.message}.` : "";
    setText(find(place, ".detail", HTMLElement), `${reason} ${DETAILS[shown]}`.trim());
  };
  show(client.state);
  client.onState(show);
}

/**
 * The switch "Offline". A reload leaves it as it is, and so do the other tabs: they
 * have the same client.
 */
export function offerOffline(client: Client, storage: TextStorage): void {
  const control = find(document, "#offline", HTMLButtonElement);
  const follow = () => {
    const offline = storage.getItem(KEY) === "true";
    if (control.getAttribute("aria-checked") === String(offline)) return;
    control.setAttribute("aria-checked", String(offline));
    if (offline) client.offline();
    else client.online();
  };
  control.addEventListener("click", () => {
    storage.setItem(KEY, String(control.getAttribute("aria-checked") !== "true"));
    follow();
  });
  window.addEventListener("storage", follow);
  follow();
}

type Shown = "connecting" | "live" | "reconnecting" | "offline" | "closed";

const WORDS: Readonly<Record<Shown, string>> = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  offline: "Offline",
  closed: "Not connected:",
};

const DETAILS: Readonly<Record<Shown, string>> = {
  connecting: "",
  live: "",
  reconnecting: "What you change is kept, and sent later.",
  offline: "What you change is kept, and sent later.",
  closed: "Reload the page to try again.",
};

function shownState(state: State, wasOpen: boolean): Shown {
  if (state === "closed" || state === "offline") return state;
  if (state === "open") return "live";
  return wasOpen ? "reconnecting" : "connecting";
}
