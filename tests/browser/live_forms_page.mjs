/** The same as `live_page.mjs` for a page that only has forms, with the client of `forms.js`. */
import { LightClient } from "../../clients/typescript/src/api/light-client.ts";
import { bindFormsPage } from "../../clients/typescript/src/htmx/forms-page.ts";
import { startPage } from "../../clients/typescript/src/htmx/page.ts";

startPage((url) => {
  const client = new LightClient(url);
  window.rhtmxIsLive = () => client.validateForm("nothing", {}, {});
  bindFormsPage(client);
}, document.currentScript);
