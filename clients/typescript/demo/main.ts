/**
 * The demo page: puts its parts together.
 *
 * Knows which parts there are. Must not know what they do.
 */

import { find, setText } from "../inspector/dom.ts";
import { Inspector } from "../inspector/inspector.ts";
import { loadSchema } from "../inspector/load.ts";
import { drawSchema } from "../inspector/schema-view.ts";
import { connect } from "../src/index.ts";
import { Board } from "./board.ts";
import { offerOffline, showConnection } from "./connection.ts";
import { Drafts } from "./drafts.ts";
import { Edits } from "./edits.ts";
import { showMembers } from "./members.ts";
import { Notices } from "./notices.ts";
import { Member, schema, Task } from "./schema/index.ts";
import { offerSignUp } from "./signup.ts";

const client = connect("/api/ws", { schema });
offerOffline(client, localStorage);
showConnection(client);
const notices = new Notices(find(document, "#notices", HTMLElement));
client.onError((error) => notices.show(error.message));
const tasks = client.of(Task);
const members = client.of(Member);
new Board(client, tasks, new Edits(tasks, notices), new Drafts(sessionStorage));
offerSignUp(client, members);
showMembers(members);
const inspector = new Inspector(client, [tasks, members], [tasks.conflicts]);
void loadSchema((...asked) => fetch(...asked)).then((loaded) => {
  const place = find(document, "#schema", HTMLElement);
  inspector.label(loaded.schema);
  if (loaded.problem) setText(place, loaded.problem);
  else drawSchema(place, loaded.schema);
  place.setAttribute("aria-busy", "false");
});
