import { RhtmxError } from "../../src/errors.ts";

/** Runs `act` and returns what it was refused with; fails if it was not. */
export function refusal(act: () => unknown): RhtmxError {
  try {
    act();
  } catch (error) {
    if (error instanceof RhtmxError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
