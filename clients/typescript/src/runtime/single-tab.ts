/**
 * A client in one tab.
 *
 * Knows no other tabs: it leads at once. Knows what its page lives through: one that
 * is frozen, or put aside for the way back, has no connection meanwhile.
 *
 * Chromium 156 keeps a page with an open WebSocket in its back/forward cache
 * (https://web.dev/articles/bfcache), answers pings for it there, and loses what the
 * server sends: the page gets the end of the socket when its user returns.
 */
import type { TabChannel } from "../core/tab-messages.ts";
import type { Surroundings } from "./leader-election.ts";

/** Makes the channel of a client that shares nothing with other tabs. */
export function alone(around: Pick<Surroundings, "addEventListener"> = {}): TabChannel {
  const life = new AbortController();
  let begin: (() => void) | undefined;
  let end = () => {};
  let away = false;
  const listen = (event: string, type: "offline" | "online") => {
    const leaves = type === "offline";
    const act = () => {
      // A page is shown also when it was never put aside, and resumed before it is shown.
      if (away !== leaves) channel.onmessage?.({ type, why: "page" });
      away = leaves;
    };
    around.addEventListener?.(event, act, { capture: true, signal: life.signal });
  };
  listen("freeze", "offline");
  listen("pagehide", "offline");
  listen("resume", "online");
  listen("pageshow", "online");
  const channel: TabChannel = {
    post() {},
    lead(start, stop) {
      begin = start;
      end = stop;
      start();
    },
    stand(standing) {
      end();
      if (standing !== "nowhere") begin?.();
    },
    close: () => life.abort(),
  };
  return channel;
}
