/**
 * Functions to be called, by the name of what they wait for.
 *
 * Knows names and functions.
 */
import type { Stop } from "../core/options.ts";

/** Sets of functions, by the name of an event. */
export class Listeners {
  readonly #all = new Map<string, Set<(...args: never[]) => void>>();

  /** Adds one, even if it is there already. */
  on(name: string, listener: (...args: never[]) => void): Stop {
    const own = (...args: never[]) => listener(...args);
    const all = this.#all.get(name) ?? new Set();
    this.#all.set(name, all.add(own));
    return () => void all.delete(own);
  }

  /** Whether anybody listens. */
  hears(name: string): boolean {
    return !!this.#all.get(name)?.size;
  }

  /**
   * Calls all of that name. An error in one is reported as uncaught and stops nothing.
   *
   * @returns whether there are any.
   */
  emit(name: string, ...args: unknown[]): boolean {
    const all = [...(this.#all.get(name) ?? [])];
    for (const listener of all) {
      try {
        listener(...(args as never[]));
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    return all.length > 0;
  }
}
