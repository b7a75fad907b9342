/**
 * When all parts of a page have come from the server that renders it.
 *
 * Knows how React's server marks a part that is still to come. Must not know
 * components.
 */

/** Milliseconds between two looks at the page. */
const AGAIN = 50;
/** Milliseconds after which a part that is still to come is waited for no longer. */
const PATIENCE = 3_000;

/** Those who wait, in the order in which they came. */
const waiting = new Set<() => void>();

/**
 * Calls `act` when no part of the page is still to come, or after 3 seconds; not before
 * what is under way has ended.
 *
 * @returns what ends the waiting.
 */
export function whenComplete(act: () => void): () => void {
  if (!waiting.size) queueMicrotask(() => look(PATIENCE));
  waiting.add(act);
  return () => void waiting.delete(act);
}

/** One look for all, and all in one go: React renders them together then. */
function look(patience: number): void {
  if (patience > 0 && waiting.size && isPartial()) {
    setTimeout(() => look(patience - AGAIN), AGAIN);
    return;
  }
  const all = [...waiting];
  waiting.clear();
  for (const act of all) act();
}

/**
 * Whether some part of the page is still to come. What is rendered around it throws it
 * away, in a transition too: react-dom 19.3.1, `isSuspenseInstancePending`, a comment `$?`
 * before the fallback, or `$~` when the part is there and about to be shown.
 */
function isPartial(): boolean {
  const comments = document.createTreeWalker(document, NodeFilter.SHOW_COMMENT);
  while (comments.nextNode()) {
    if (/^\$[?~]$/.test((comments.currentNode as Comment).data)) return true;
  }
  return false;
}
