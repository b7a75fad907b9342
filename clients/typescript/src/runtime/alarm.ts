/**
 * Calls a function when it is time, by one timer.
 *
 * Knows the clock. Must not know what is due.
 */

/** An alarm that can be set anew. */
export class Alarm {
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer goes off. */
  #due = Infinity;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /**
   * Has it ring then, in milliseconds of `performance.now()`; never if left out.
   *
   * One that is set already may ring too early, and finds nothing to do: with each frame that
   * comes the deadline moves on, and a timer for each would cost as much as the frame.
   */
  set(deadline = Infinity): void {
    if (this.#due <= deadline && deadline < Infinity) return;
    clearTimeout(this.#timer);
    this.#due = deadline;
    if (deadline === Infinity) return;
    const wake = () => {
      this.#due = Infinity;
      this.#ring();
    };
    this.#timer = setTimeout(wake, Math.max(0, deadline - performance.now()));
  }
}
