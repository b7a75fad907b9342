/**
 * The demo page: puts its parts together.
 *
 * Knows which parts there are. Must not know what they do.
 */
import { connect } from "../src/index.ts";
import { Board } from "./board.ts";
import { offerOffline, showConnection } from "./connection.ts";
import { find } from "./dom.ts";
import { Drafts } from "./drafts.ts";
import { Edits } from "./edits.ts";
import { Inspector } from "./inspector.ts";
import { showMembers } from "./members.ts";
import { Notices } from "./notices.ts";
import { offerSignUp } from "./signup.ts";
import { ENTITY } from "./task.ts";

const client = connect("/api/ws");
offerOffline(client, localStorage);
showConnection(client);
const notices = new Notices(find(document, "#notices", HTMLElement));
client.onError((error) => notices.show(error.message));
const tasks = client.collection(ENTITY);
const members = client.collection("members");
new Board(client, tasks, new Edits(tasks, notices), new Drafts(sessionStorage));
offerSignUp(client, members);
showMembers(members);
new Inspector(client, [tasks, members]);
