/**
 * Says on the page how the connection is.
 *
 * Knows the client's states and the words for them. Must not know what the
 * connection is used for.
 */
import { find, setText } from "./dom.ts";
import type { Client, State } from "../src/index.ts";

/** Shows the state of the client now and from now on. */
export function showConnection(client: Client): void {
  const place = find(document, "#connection", HTMLElement);
  let wasOpen = false;
  client.onState((state, error) => {
    wasOpen ||= state === "open";
    const shown = shownState(state, wasOpen);
    place.dataset["state"] = shown;
    setText(find(place, "strong", HTMLElement), WORDS[shown]);
    const reason = shown === "closed" && error ? `${error.message}.` : "";
    setText(find(place, ".detail", HTMLElement), `${reason} ${DETAILS[shown]}`.trim());
  });
}

type Shown = "connecting" | "live" | "reconnecting" | "offline" | "closed";

const WORDS: Readonly<Record<Shown, string>> = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  offline: "Offline:",
  closed: "Not connected:",
};

const DETAILS: Readonly<Record<Shown, string>> = {
  connecting: "",
  live: "",
  reconnecting: "Keep this page open: what you change is sent when the connection is back.",
  offline: "what you change is kept, and sent when the network is back.",
  closed: "Reload the page to try again.",
};

function shownState(state: State, wasOpen: boolean): Shown {
  if (state === "closed" || state === "offline") return state;
  if (state === "open") return "live";
  return wasOpen ? "reconnecting" : "connecting";
}
