/**
 * What a page gets that loads the client by a script tag: it starts by itself.
 *
 * Beside that, `rhtmxIsLive()` resolves when the server has taken everything that
 * the page asked for until then: it answers in order.
 */
import { start } from "../../clients/typescript/src/htmx/index.ts";
import { connect } from "../../clients/typescript/src/index.ts";

start((url) => {
  const client = connect(url);
  window.rhtmxIsLive = () => client.validateForm("nothing", {}, {});
  return client;
}, document.currentScript);
