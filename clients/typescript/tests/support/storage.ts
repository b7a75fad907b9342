/**
 * A `localStorage` in memory.
 */
export class FakeStorage {
  [key: string]: unknown;

  constructor() {
    // Its own keys are what it holds, as in a browser; what it can do are not.
    const hidden = (name: string, value: unknown) =>
      Object.defineProperty(this, name, { value, configurable: true });
    hidden("setItem", (key: string, value: string) => (this[key] = value));
    hidden("getItem", (key: string) => this[key] ?? null);
    hidden("removeItem", (key: string) => delete this[key]);
  }
}
