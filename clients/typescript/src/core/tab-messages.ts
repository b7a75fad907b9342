/**
 * What the parts of a client tell one another, in one tab or across several.
 *
 * Knows words only. A client has a part in every tab, the `Tab`: memory, what
 * is shown, the promises of this tab. And it has one part in all tabs together,
 * the `Leader`, which *leads*: connection, session, and what the server tells
 * written into the store. The two talk in messages, plain data that can be
 * cloned; every message goes to all: each takes what concerns it.
 *
 * | message               | from    | meaning                                              |
 * | --------------------- | ------- | ---------------------------------------------------- |
 * | `lead`                | leader  | it begins: say again what you have open and ask      |
 * | `ops`                 | either  | apply these to memory: they are in the store         |
 * | `state`               | leader  | the state of the connection, and why it is closed    |
 * | `outcome`             | leader  | a write is durable, or rejected for good             |
 * | `answer`              | leader  | the answer to a question, or why there is none       |
 * | `conflict`, `problem` | leader  | for the listeners                                    |
 * | `synced`              | leader  | an entity has caught up                              |
 * | `rejected`            | leader  | an entity is not read, not now, and why              |
 * | `seen`                | leader  | for those who watch: a change, or that some may lack |
 * | `room`                | leader  | who is in a room, or that the client is out          |
 * | `told`                | leader  | an ephemeral message, for the listeners              |
 * | `tell`                | tab     | an ephemeral message, to be sent now or never        |
 * | `added`               | tab     | a write is in the store; everybody's memory takes it |
 * | `ask`                 | tab     | a question                                           |
 * | `open`, `shut`        | tab     | an entity is read, or no longer, by this `tab`       |
 * | `enter`, `exit`       | tab     | this `tab` wants to be in a room, or no longer       |
 * | `watch`, `unwatch`    | tab     | this `tab` wants its changes, or no longer           |
 * | `gone`                | browser | that tab is not there any more                       |
 * | `offline`, `online`   | tab     | no connection is wanted, by whom; one is again       |
 * | `hello`               | tab     | it is new: how is the connection?                    |
 * | `lost`                | browser | some messages are missing here                       |
 * | `hole`                | browser | a write may be in the store that nobody told         |
 * | `unshared`            | browser | the browser gives no locks: nothing can be shared    |
 * | `wake`                | tab     | somebody looks: connect now, or see if it still works |
 *
 * Where one names an entity, that may be a part of it: see `part.ts`.
 *
 * A tab that misses an `outcome` (it was frozen, the leader died) finds its
 * write gone and not among those that were rejected: then it is durable. It
 * misses nothing else for good: `lead` has it say everything again, and what
 * it holds it can load anew.
 *
 * Who leads is decided by the `TabChannel`. A leader writes its id into the store as
 * it begins (`["leader", id]`) and names it with each transaction: one that is
 * not the leader any more writes nothing, and stops at once. It tells `ops`
 * only after they were stored, so that the next leader's memory holds what the
 * store holds. A leader that finds a hole in the numbers of the writes was not
 * told of another tab's: it loads the queue anew. So does a tab that begins to
 * lead some time after it was loaded (`Tab.reload`). Either tells all others
 * what it found, so that after it all hold the same queue.
 */

import type { Refusal } from "../errors.ts";
import type {
  ChangeLog,
  ClientMessage,
  CloseForm,
  Ephemeral,
  Question,
  ServerMessage,
  ValidationResult,
} from "../messages/types.ts";
import type { Conflict } from "./conflict.ts";
import type { RoomNow, RoomWish } from "./room.ts";
import type { Op, Standing, Write } from "./storage-ops.ts";

/**
 * - `connecting`: a connection is being made;
 * - `open`: it is there, and the server knows the client;
 * - `waiting`: it was lost, or could not be made, and the next attempt has its time;
 * - `offline`: none is wanted, or the browser has no network;
 * - `closed`: for good.
 */
export type State = "connecting" | "open" | "waiting" | "offline" | "closed";

export type { Question } from "../messages/types.ts";

/** Who wants no connection: the application, the browser without a network, a page that is put aside. */
export type Why = "app" | "network" | "page";

interface Answered {
  readonly id: string;
  readonly answer?: ServerMessage | undefined;
  readonly error?: Refusal | undefined;
}

interface Opened {
  readonly entity: string;
  readonly fields: boolean;
}

interface Wanted {
  readonly entity: string;
  readonly tab: string;
}

/** A message between tabs, or between the parts of a client in one tab. */
export type TabMessage =
  /** `client`: the id of the client for which it leads. */
  | { readonly type: "lead"; readonly leader: string; readonly client?: string }
  /** Of a leader: with its id. */
  | { readonly type: "ops"; readonly ops: readonly Op[]; readonly leader?: string | undefined }
  | { readonly type: "state"; readonly state: State; readonly error?: Refusal | undefined }
  | (Answered & { readonly type: "outcome" | "answer" })
  | { readonly type: "conflict"; readonly conflict: Conflict }
  | { readonly type: "problem"; readonly error: Refusal }
  | { readonly type: "synced"; readonly entity: string; readonly change?: undefined }
  | { readonly type: "seen"; readonly entity: string; readonly change: ChangeLog | null }
  | { readonly type: "room"; readonly room: string; readonly now: RoomNow }
  | {
      readonly type: "enter";
      readonly room: string;
      readonly tab: string;
      readonly wish: RoomWish;
      readonly asked?: boolean | undefined;
    }
  | { readonly type: "exit"; readonly room: string; readonly tab: string }
  | { readonly type: "told"; readonly message: Ephemeral | ValidationResult }
  | { readonly type: "tell"; readonly message: Told }
  | {
      readonly type: "added";
      readonly write: Write;
      readonly instead?: string | undefined;
      /** The id of the client that it is numbered under. */
      readonly client?: string;
    }
  | { readonly type: "ask"; readonly id: string; readonly question: Question }
  | (Opened & { readonly type: "rejected"; readonly error: Refusal })
  | (Opened & { readonly type: "open"; readonly tab: string })
  /** `missed`: it got some before, and not all since. */
  | (Wanted & { readonly type: "watch"; readonly missed?: boolean | undefined })
  | (Wanted & { readonly type: "shut" | "unwatch" })
  | { readonly type: "gone"; readonly tab: string }
  | { readonly type: "offline" | "online"; readonly why: Why }
  | { readonly type: "unshared"; readonly why: string }
  | { readonly type: "hello" | "lost" | "hole" | "wake" };

/** What is sent to whoever is there, and answered by nobody. */
export type Told = (Ephemeral & ClientMessage) | CloseForm;

/** What connects the tabs of one client. */
export interface TabChannel {
  /** Tells the other tabs. */
  post(message: TabMessage): void;
  /** Called with what other tabs tell. */
  onmessage?: (message: TabMessage) => void;
  /**
   * Calls `start` each time that this tab begins to lead, and `stop` when it does no longer.
   * `waited`: there were others meanwhile, and memory may lack what they stored.
   */
  lead(start: (waited?: boolean) => void, stop: () => void): void;
  /** Leads by itself, hearing nobody, nowhere, or with the others again. */
  stand?(standing: Standing): void;
  /** This tab turned out not to lead: it stands in line again. */
  yield?(): void;
  /** Whether this tab paused so long, since this was asked last, that another may lead. */
  paused?(): boolean;
  /** This tab is done. */
  close(): void;
}
