/**
 * What a component shows of something that lives outside of React.
 *
 * Knows React's rules for such things, and for pages that were rendered on a server.
 * Must not know what is shown.
 *
 * A component that React hydrates shows first what the server has rendered, and goes live
 * once the parts below it are hydrated, too. Why: a part in a `Suspense` is hydrated after
 * the components around it, maybe much later (its code is still loading). If one of those
 * renders again meanwhile, React throws the part's HTML away, shows the fallback, and says
 * nothing: react-dom 19.3.1, `updateDehydratedSuspenseComponent`, where `didReceiveUpdate`
 * leads to `retrySuspenseComponentWithoutHydrating`. Any update does that, but for one in
 * a transition, which waits for the part (`renderDidSuspendDelayIfPossible`); and the
 * updates of `useSyncExternalStore` never are in one (`forceStoreRerender`: always the
 * lane 2, `SyncLane`). So the step from the server's snapshot to the live one is a state,
 * set in a transition; all that comes after it is up to `useSyncExternalStore`, and hence
 * the same in all components at any time.
 */
import { startTransition, useEffect, useState, useSyncExternalStore } from "react";

import { whenComplete } from "./page-complete.ts";

/**
 * Begins to listen; returns what ends it. `changed` is given true if the change was made
 * in this tab: then it has to show at once, as a controlled input shows it.
 */
export type Listen = (changed: (own?: boolean) => void) => () => void;

/**
 * What there is, and again whenever that is something else.
 *
 * @param listen the same function as long as it leads to the same thing.
 * @param read the same value as long as nothing has changed.
 * @param server what is shown where there is nothing to read from: on a server.
 */
export function useLive<S>(listen: Listen, read: () => S, server: S): S {
  const [first] = useState(() => ({ hydrates: false }));
  const [live, setLive] = useState(false);
  useEffect(() => {
    if (live || !first.hydrates) return;
    const stops = [
      listen((own) => own && setLive(true)),
      whenComplete(() => startTransition(() => setLive(true))),
    ];
    return () => stops.forEach((stop) => stop());
  }, [first, live, listen]);
  return useSyncExternalStore(
    listen,
    () => (first.hydrates && !live ? server : read()),
    () => {
      // React asks for this on a server, and while it hydrates; never again after that.
      first.hydrates = true;
      return server;
    },
  );
}
