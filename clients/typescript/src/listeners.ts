/**
 * Functions that want to be told.
 *
 * Knows nothing but functions.
 */

/** Ends what was begun; calling it again does nothing. */
export type Stop = () => void;

/** A set of functions of one kind. */
export class Listeners<A extends unknown[]> {
  readonly #all = new Set<(...args: A) => void>();

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** Adds one, even if it is there already. */
  add(listener: (...args: A) => void): Stop {
    const own = (...args: A) => listener(...args);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  /** Calls all. An error in one is reported as uncaught and stops nothing. */
  call(...args: A): void {
    for (const listener of [...this.#all]) {
      try {
        listener(...args);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
