/**
 * The demo page: puts its parts together.
 *
 * Knows which parts there are. Must not know what they do.
 */

import { offerOffline, showConnection } from "../inspector/connection.ts";
import { find } from "../inspector/dom.ts";
import { Inspector } from "../inspector/inspector.ts";
import { loadSchema } from "../inspector/load.ts";
import { showSchema } from "../inspector/schema-view.ts";
import { connect } from "../src/index.ts";
import { Board } from "./board.ts";
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
const inspector = new Inspector(client);
inspector.watch(tasks, tasks.conflicts);
inspector.watch(members);
void loadSchema((...asked) => fetch(...asked)).then(({ schema, problem }) => {
  inspector.label(schema);
  showSchema(find(document, "#schema", HTMLElement), schema, problem);
});
