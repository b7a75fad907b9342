/**
 * A client in one tab.
 *
 * Knows no other tabs: it leads at once. Knows what its page lives through: one that
 * is frozen, or put aside for the way back, has no connection meanwhile.
 *
 * Chromium 156 keeps a page with an open WebSocket in its back/forward cache
 * (https://web.dev/articles/bfcache), answers pings for it there, and loses what the
 * server sends: the page gets the end of the socket when its user returns.
 *
 * Browsers promise `resume` or `pageshow` to a page that was away, but not to one that only said that
 * it goes (https://wicg.github.io/page-lifecycle): in one that is away no timer runs, so one that runs
 * says that it is not.
 */
import type { TabChannel } from "../core/tab-messages.ts";
import type { Surroundings } from "./leader-election.ts";

/** Milliseconds that a page may run after it has said that it goes. */
const AWAY = 5_000;

/** Makes the channel of a client that shares nothing with other tabs. */
export function alone(around: Pick<Surroundings, "addEventListener"> = {}): TabChannel {
  const life = new AbortController();
  let begin: (() => void) | undefined;
  let end = () => {};
  let away = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const turn = (leaves: boolean) => {
    clearTimeout(timer);
    if (leaves) timer = setTimeout(turn, AWAY, false);
    // A page is shown also when it was never put aside, and resumed before it is shown.
    if (away !== leaves) channel.onmessage?.({ type: leaves ? "offline" : "online", why: "page" });
    away = leaves;
  };
  const listen = (leaves: boolean, ...events: string[]) =>
    events.forEach((event) =>
      around.addEventListener?.(event, () => turn(leaves), { capture: true, signal: life.signal }),
    );
  listen(true, "freeze", "pagehide");
  listen(false, "resume", "pageshow");
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
    close() {
      life.abort();
      clearTimeout(timer);
    },
  };
  return channel;
}
