/**
 * Sends ephemeral messages: to those who listen now, and to no store.
 *
 * Knows that it is sent now or never. Must not know what it says.
 */

import type { Told } from "../core/tab-messages.ts";
import { checkFromClient } from "../wire/index.ts";
import type { Tab } from "./tab.ts";

/**
 * Sends a message to those who read its entity now. Returns whether there is a connection:
 * without one it is gone.
 *
 * @throws RhtmxError `bad_message`: no server would take it.
 */
export function tell(tab: Tab, message: Told): boolean {
  const checked = checkFromClient(message);
  const isOpen = tab.connection === "open";
  if (isOpen) tab.send({ type: "tell", message: checked });
  return isOpen;
}
