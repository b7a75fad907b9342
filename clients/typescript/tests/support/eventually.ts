import { vi } from "vitest";

/** Waits until something holds; a busy machine is no failure. Vitest's own patience is a second. */
export const eventually = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 60_000, interval: 1 });
