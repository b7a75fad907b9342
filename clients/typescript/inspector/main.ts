/**
 * The page `/inspector`: what the server keeps, as far as whoever opens it may read it.
 *
 * Knows which parts there are, and how a record is written. Must not know any application.
 */

import { type Collection, connect, RhtmxError, type Row } from "../src/index.ts";
import { showConnection } from "./connection.ts";
import { type MessageFacts, NO_SCHEMA, type SchemaFacts } from "./describe.ts";
import { find } from "./dom.ts";
import { askForChanges } from "./edit-view.ts";
import { Inspector } from "./inspector.ts";
import { loadSchema } from "./load.ts";
import type { Wrong } from "./records.ts";
import { RecordsView } from "./records-view.ts";
import { showSchema } from "./schema-view.ts";

const TOKEN = "rhtmx-inspector:token";

const token = sessionStorage.getItem(TOKEN) ?? "";
// A client of its own: it takes neither the connection nor the store of the application's pages.
const client = connect("api/ws", { storage: false, token: token || undefined });
showConnection(client);
// Why nothing can be asked, the state of the connection says.
client.onError(() => {});
const inspector = new Inspector(client);
const collections = new Map<string, Collection>();

function open({ name, isWhole }: MessageFacts): Collection {
  const known = collections.get(name);
  if (known) return known;
  const collection = client.collection(name);
  collections.set(name, collection);
  inspector.watch(collection, isWhole ? undefined : collection.conflicts);
  return collection;
}

function edit(entity: MessageFacts, { id, data, version }: Row<unknown>): void {
  const collection = open(entity);
  askForChanges(entity, { id, data }, async (values) => {
    try {
      if (entity.isWhole) {
        const whole = { ...(data as object), ...values };
        await collection.set(id, whole as never, { baseVersion: version });
      } else await collection.patch(id, values as never, { baseVersion: version });
      return [];
    } catch (error) {
      return wrongWith(entity.name, id, error as Error);
    }
  });
}

/** Why a write was refused. It is told in the dialog, so that it need not be kept. */
function wrongWith(entity: string, id: string, error: Error): readonly Wrong[] {
  const mine = ({ message }: (typeof client.rejected)[number]) =>
    "entity" in message && message.entity === entity && message.entity_id === id;
  client.rejected.find(mine)?.discard();
  const violations = error instanceof RhtmxError ? error.violations : [];
  if (violations.length) return violations;
  return [{ field: "", message: `was not written: ${error.message}` }];
}

/** Shows the schema, or why there is none, and offers its entities. */
function show(schema: SchemaFacts, problem: string): void {
  inspector.label(schema);
  showSchema(find(document, "#schema", HTMLElement), schema, problem);
  records.offer(schema.entities, problem);
}

/** Asks for the schema once there is a connection: the server knows then who asks. */
async function load(): Promise<void> {
  const { schema, problem } = await loadSchema((...asked) => fetch(...asked), token);
  show(schema, problem);
}

const signIn = find(document, "#sign-in", HTMLElement);
find(signIn, "form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, find(signIn, "#token", HTMLInputElement).value);
  location.reload();
});
const records = new RecordsView({ open, edit });
let isAsked = false;
client.onState((state) => {
  // Who is not let in can say who they are.
  signIn.hidden = state !== "closed";
  if (state === "closed") show(NO_SCHEMA, "There is no connection.");
  if (state !== "open" || isAsked) return;
  isAsked = true;
  void load();
});
