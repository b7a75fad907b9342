/**
 * Who listens to which stream.
 *
 * Knows callbacks. Must not know the protocol: the session keeps one stream for
 * all listeners of one entity at one granularity.
 */
import { RhtmxError } from "./errors.ts";
import { Listeners } from "./listeners.ts";
import { START } from "./streams.ts";
import type { Event } from "./events.ts";
import type { Stop } from "./listeners.ts";
import type { Position } from "./messages/types.ts";
import type { SubscribeOptions } from "./options.ts";
import type { Runner } from "./runner.ts";
import type { Granularity, Log } from "./streams.ts";

/** The listeners of one stream. */
class Audience {
  readonly changed = new Listeners<[log: Log]>();
  readonly reset = new Listeners<[]>();
  readonly synced = new Listeners<[position: Position]>();
}

/** All listeners of one client. */
export class Subscriptions {
  readonly #runner: Runner;
  readonly #audiences = new Map<string, Audience>();

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  /**
   * Adds a listener; the first one starts the stream, the last one that leaves ends it.
   *
   * @throws RhtmxError `not_supported` for `since` on a stream that is running.
   */
  add(
    granularity: Granularity,
    entity: string,
    listener: (log: Log) => void,
    options: SubscribeOptions,
  ): Stop {
    const audience = this.#open(granularity, entity, options.since);
    const stops = [
      audience.changed.add(listener),
      options.onReset && audience.reset.add(options.onReset),
      options.onSynced && audience.synced.add(options.onSynced),
    ];
    let stopped = false;
    return () => {
      if (stopped) return;
      stopped = true;
      for (const stop of stops) stop?.();
      if (audience.changed.size === 0) this.#close(granularity, entity);
    };
  }

  /** Takes an event; false if it is not about a stream. */
  handle(event: Event): boolean {
    if (event.event === "changed") {
      this.#audience(event.granularity, event.log.entity)?.changed.call(event.log);
    } else if (event.event === "reset") {
      this.#audience(event.granularity, event.entity)?.reset.call();
    } else if (event.event === "synced") {
      this.#audience(event.granularity, event.entity)?.synced.call(event.position);
    } else return false;
    return true;
  }

  #audience(granularity: Granularity, entity: string): Audience | undefined {
    return this.#audiences.get(`${granularity} ${entity}`);
  }

  #open(granularity: Granularity, entity: string, since: Position | 0 | undefined): Audience {
    const running = this.#audience(granularity, entity);
    if (running && since === undefined) return running;
    if (running) {
      const words = `there is a subscription to '${entity}' already: it goes on from where it is`;
      throw new RhtmxError("not_supported", `${words}; stop it, or leave out 'since'`);
    }
    this.#runner.run((session) => {
      session.subscribe(granularity, entity, since === 0 ? START : since);
    });
    const audience = new Audience();
    this.#audiences.set(`${granularity} ${entity}`, audience);
    return audience;
  }

  #close(granularity: Granularity, entity: string): void {
    this.#audiences.delete(`${granularity} ${entity}`);
    this.#runner.run((session) => session.unsubscribe(granularity, entity));
  }
}
