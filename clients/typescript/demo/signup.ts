/**
 * The sign-up form: checked by the server while it is filled in, and sent as a
 * new member, if nobody else took the name meanwhile.
 *
 * Knows its fields and what is shared of them. Must not know their rules: the
 * server has them.
 */

import { bindForm } from "../src/forms/index.ts";
import type { Client, Collection, JsonValue } from "../src/index.ts";
import { RhtmxError } from "../src/index.ts";
import { find, setText } from "./dom.ts";

/** See the head of the file. */
export function offerSignUp(client: Client, members: Collection<JsonValue>): void {
  const form = find(document, "#signup", HTMLFormElement);
  const username = find(form, "#username", HTMLInputElement);
  const status = find(document, "#signup-status", HTMLElement);
  const label = (field: string) => {
    const control = form.elements.namedItem(field);
    return control instanceof HTMLInputElement ? (control.labels?.[0]?.textContent ?? "") : "";
  };
  const bound = bindForm(form, {
    client,
    text: (error, field) => `${label(field)} ${error}.`.trim(),
  });
  form.addEventListener("input", () => setText(status, ""));
  // Heard only once the server has found the whole form valid.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = username.value;
    setText(status, "One moment…");
    void signUp(client, members, name).then(async (failure) => {
      setText(status, failure ?? `Welcome, ${name}. Only your username is shared.`);
      if (failure === undefined) form.reset();
      // The check says at the field who has the name by now.
      else if (!(await bound.check("username"))) username.focus();
    });
  });
}

/** Takes a username. Returns why not, in words, or undefined if it is taken. */
async function signUp(
  client: Pick<Client, "rejected">,
  members: Pick<Collection<JsonValue>, "set">,
  name: string,
): Promise<string | undefined> {
  try {
    // Base version 0: only if there is no such member. Nothing private is shared.
    await members.set(name, { joined: new Date().toISOString() }, { baseVersion: 0 });
    return undefined;
  } catch (error) {
    const taken = error instanceof RhtmxError && error.code === "conflict";
    if (!taken) return `Could not sign you up: ${error instanceof Error ? error.message : error}.`;
    const mine = ({ message }: Client["rejected"][number]) =>
      "entity" in message && message.entity === "members" && message.entity_id === name;
    client.rejected.find(mine)?.discard();
    return `Somebody else took “${name}” a moment ago.`;
  }
}
