/**
 * The tabs of one client: which of them leads, and how they hear of one another.
 *
 * Knows locks, the channel and what a page lives through. Must not know what is
 * told, nor what leading is. Everything of the browser is an argument.
 *
 * Who holds the lock leads, once it has loaded what is stored; it asks for it before that,
 * so that it knows whether others stored something meanwhile. The others stand in line, so
 * that one that closes or crashes is followed at once. One that hangs is found out by asking:
 * timers of hidden tabs are slowed down, the handling of messages is not, so the others ask
 * and the leader answers from its handler. Two questions without an answer, and the asker
 * steals the lock. A tab that hangs itself finds out no faster for it: each of its questions
 * had its time. A page that is frozen or put aside steps down before, and stands in line
 * again when it wakes.
 *
 * Each tab also holds a lock of its own while it is there. The leader stands in line for
 * the locks of all from whom it hears: to get one is to know that its tab is gone, however
 * it went.
 *
 * Each message carries its sender's name and its number. Where one is missing,
 * what is held has to be loaded anew: `lost` says so.
 */

import type { Standing } from "../core/storage-ops.ts";
import type { TabChannel, TabMessage } from "../core/tab-channel.ts";

/** Within two of these, in milliseconds, a leader that hangs is replaced. */
export const HEARTBEAT = 2_500;
/** A leader falls silent up to one of these before the first of two questions that it misses. */
const INTERVAL = 1_600;

/** What a tab tells without words: it asks for a sign of life, gives one, says goodbye. */
type Sign = "ask" | "here" | "bye";
type Envelope = readonly [from: string, count: number, what: TabMessage | Sign];

/** What is taken from `globalThis`. */
export interface Surroundings {
  readonly navigator: { readonly locks: Pick<LockManager, "request"> };
  readonly BroadcastChannel: new (
    name: string,
  ) => Pick<BroadcastChannel, "postMessage" | "onmessage" | "close">;
  readonly performance: { now(): number };
  addEventListener?(name: string, listener: () => void, options: AddEventListenerOptions): void;
  setInterval(act: () => void, milliseconds: number): unknown;
  clearInterval(timer: unknown): void;
}

/**
 * Joins the tabs that share a name.
 *
 * @param name of what they share.
 * @param id of this tab; new each time a page is loaded, so that a copy of a tab is another one.
 */
export function tabs(name: string, id: string, around: Surroundings): TabChannel {
  /** There while the page is not put aside. */
  let channel: InstanceType<Surroundings["BroadcastChannel"]> | undefined;
  const life = new AbortController();
  /** The last number of each sender. */
  const counts = new Map<string, number>();
  /** The tabs for whose end this one waits, while it leads. */
  const mourned = new Set<string>();
  let count = 0;
  let start: ((waited: boolean) => void) | undefined;
  let leads = false;
  /** Others led since this tab is there: it may lack what they stored. */
  let waited = false;
  let stop: () => void;
  /** This tab's place in line, also while it leads. It has none while it is frozen, or done. */
  let place: AbortController | undefined;
  /** Holds the lock that says that this tab is there. */
  let presence: AbortController | undefined;
  /** Gives the lock back; there while this tab leads. */
  let release: (() => void) | undefined;
  /** Questions without an answer. */
  let silence = 0;
  /** Another tab left: it may have written what it did not tell. */
  let left = false;
  /** When this tab was last seen running. */
  let seen = 0;
  let paused = false;
  let standing: Standing = "shared";

  const look = () => {
    const now = around.performance.now();
    // Two questions take longer than this.
    paused ||= now - seen > HEARTBEAT;
    seen = now;
  };
  const tell = (type: "lost" | "hole") => port.onmessage?.({ type });
  const send = (what: TabMessage | Sign) => {
    if (standing === "shared") channel?.postMessage([id, count, what] satisfies Envelope);
  };

  /** Acts with the lock of a tab, unless that is given up before, or this is no place for locks. */
  const hold = (whose: string, { signal }: AbortController, act: () => Promise<void> | void) => {
    const held = () => (signal.aborted ? undefined : act());
    return around.navigator.locks.request(`${name} ${whose}`, { signal }, held).catch(() => {});
  };
  const attend = () => {
    if (presence) return;
    const mine = (presence = new AbortController());
    const leaves = new Promise<void>((leave) =>
      mine.signal.addEventListener("abort", () => leave()),
    );
    void hold(id, mine, () => leaves).then(() => {
      // It may be taken away, too.
      if (presence === mine) presence = undefined;
    });
  };
  const mourn = (whose: string) => {
    if (mourned.has(whose)) return;
    mourned.add(whose);
    void hold(whose, place!, () => {
      mourned.delete(whose);
      const gone: TabMessage = { type: "gone", tab: whose };
      port.post(gone);
      port.onmessage?.(gone);
    });
  };

  /** The lock may be there before what is to be led, or after. */
  const begin = () => {
    if (!release) return;
    look();
    // It hung since it was given the lock: another may have it by now.
    if (paused && standing === "shared") return again();
    if (!start || leads) return;
    leads = true;
    start(waited);
  };
  const lead = (done = () => {}) => {
    release = done;
    send("here");
    begin();
  };
  const leave = () => {
    const done = release;
    place?.abort();
    place = release = undefined;
    mourned.clear();
    if (leads) stop();
    leads = false;
    done?.();
  };
  const enter = (how?: LockOptions) => {
    leave();
    silence = 0;
    // Nobody can have stored anything for a tab that stands by itself.
    waited = standing === "shared" && !how?.ifAvailable;
    if (standing !== "shared") return standing === "alone" ? lead() : undefined;
    const { signal } = (place = new AbortController());
    around.navigator.locks
      .request(name, how ?? { signal }, (lock) => {
        if (signal.aborted) return undefined;
        if (lock) return new Promise<void>(lead);
        // Somebody leads, and goes on storing what this tab does not load.
        return enter();
      })
      .catch((error: Error) => {
        if (signal.aborted) return;
        // Stolen; or this is no place for locks, and nobody can know who leads.
        if (error.name === "AbortError") again();
        else port.onmessage?.({ type: "unshared", why: error.message });
      });
  };
  /** What this tab holds may be more than what was stored, or less. */
  const again = () => {
    look();
    paused = false;
    enter();
    tell("lost");
  };
  const rest = () => {
    leave();
    presence?.abort();
    presence = undefined;
    send("bye");
  };
  /** Chromium 156 drops a page that it keeps for the way back when a broadcast comes for it. */
  const hide = () => {
    rest();
    channel?.close();
    channel = undefined;
  };
  const wake = () => {
    if (!channel) join();
    attend();
    if (!place && !release) again();
  };
  const listen = (event: string, listener: () => void) =>
    around.addEventListener?.(event, listener, { capture: true, signal: life.signal });
  listen("freeze", rest);
  listen("pagehide", hide);
  listen("resume", wake);
  listen("pageshow", wake);

  const hear = ({ data }: { data: Envelope }) => {
    if (standing !== "shared") return;
    look();
    const [from, number, what] = data;
    const told = typeof what === "object";
    const missing = number - (counts.get(from) ?? number - +told) - +told;
    counts.set(from, number);
    if (missing) tell("lost");
    // Whoever hears this of itself is there, and has to be seen to be before it says so.
    if (told && what.type === "gone" && what.tab === id) attend();
    if (told) port.onmessage?.(what);
    else if (what === "here") silence = 0;
    else if (what === "bye") left = true;
    else if (release) send("here");
    if (release && what !== "bye") mourn(from);
  };
  const join = () => {
    counts.clear();
    channel = new around.BroadcastChannel(name);
    channel.onmessage = hear;
  };
  // Before anything is told: the leader waits for the end of this tab from its first word on.
  attend();
  join();
  look();
  paused = false;
  // And before anything is loaded: who has the lock from here on lacks nothing.
  enter({ ifAvailable: true });

  const timer = around.setInterval(() => {
    look();
    if (release) {
      if (left) tell("hole");
      left = false;
    } else if (place) {
      if (silence++ > 1) enter({ steal: true });
      else send("ask");
    } else if (channel && standing === "alone") {
      // It runs, so it is not frozen any more, though nothing said so; and nobody else leads for it.
      again();
    }
  }, INTERVAL);

  const port: TabChannel = {
    post(message) {
      count++;
      send(message);
    },
    lead(act, end) {
      start = act;
      stop = end;
      begin();
    },
    stand(next) {
      standing = next;
      if (next === "shared") again();
      else enter();
    },
    paused() {
      look();
      const was = paused;
      paused = false;
      return was;
    },
    yield() {
      if (release) again();
    },
    close() {
      hide();
      start = undefined;
      life.abort();
      around.clearInterval(timer);
    },
  };
  return port;
}
