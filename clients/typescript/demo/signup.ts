/**
 * The sign-up form: judged in the page while it is filled in, and sent as a new member, if
 * nobody else took the name meanwhile.
 *
 * Knows what is shared of it. Must not know its labels and rules: the schema has them; what only
 * the server knows, the server is asked.
 */

import { find, setText } from "../inspector/dom.ts";
import { bindForm } from "../src/forms/index.ts";
import type { Client, TypedCollection } from "../src/index.ts";
import { RhtmxError } from "../src/index.ts";
import { Member, SignUp } from "./schema/index.ts";

/** See the head of the file. */
export function offerSignUp(
  client: Client,
  members: Pick<TypedCollection<Member>, "create">,
): void {
  const form = find(document, "#signup", HTMLFormElement);
  const username = find(form, "#username", HTMLInputElement);
  const status = find(document, "#signup-status", HTMLElement);
  const labels = labelForm(form);
  const bound = bindForm(form, {
    client: SignUp.judged(client),
    name: SignUp.name,
    text: (error, field) => `${labels.get(field) ?? ""} ${error}.`.trim(),
  });
  form.addEventListener("input", () => setText(status, ""));
  // Heard only once the whole form was found valid.
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

/** Writes labels and help of the schema into the form. Returns the labels, by field. */
function labelForm(form: HTMLFormElement): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const [name, , , , { label = name, help = "" } = {}] of SignUp.rules.fields) {
    labels.set(name, label);
    setText(find(form, `label[for=${name}]`, HTMLElement), label);
    if (help) setText(find(form, `#${name}-hint`, HTMLElement), help);
  }
  return labels;
}

/** Takes a username. Returns why not, in words, or undefined if it is taken. */
async function signUp(
  client: Pick<Client, "rejected">,
  members: Pick<TypedCollection<Member>, "create">,
  name: string,
): Promise<string | undefined> {
  try {
    // Only if there is no such member. Nothing private is shared: the server says when it was.
    await members.create({}, name);
    return undefined;
  } catch (error) {
    const taken = error instanceof RhtmxError && error.code === "conflict";
    if (!taken) return `Could not sign you up: ${error instanceof Error ? error.message : error}.`;
    const mine = ({ message }: Client["rejected"][number]) =>
      "entity" in message && message.entity === Member.name && message.entity_id === name;
    client.rejected.find(mine)?.discard();
    return `Somebody else took “${name}” a moment ago.`;
  }
}
