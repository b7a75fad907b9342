/**
 * The demo page: puts its parts together.
 *
 * Knows which parts there are. Must not know what they do.
 */
import { connect } from "../src/index.ts";
import { showConnection } from "./connection.ts";
import { ContactForm } from "./contact.ts";
import { find } from "./dom.ts";
import { Notices } from "./notices.ts";
import { TaskList } from "./tasks.ts";

// Windows of one browser would share the database, and only one of them may use it.
const client = connect("/api/ws", { storage: false });
const notices = new Notices(find(document, "#notices", HTMLElement));
client.onError((error) => notices.show(error.message));
showConnection(client);
new TaskList(client, notices);
new ContactForm(client);
