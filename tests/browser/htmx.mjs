/** htmx 2 and 4 with live entities: what is requested when. Each scenario for both. */
import assert from "node:assert/strict";

/** What is asked for beside the changes: by the browser, and when the connection comes. */
const QUIET = ["/api/ws", "/icon.svg", "/state"];

/** Opens the page and returns it with the paths that are requested from then on. */
async function open({ visit }, version) {
  const page = await visit(`/htmx${version}`);
  const requested = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (!QUIET.includes(pathname)) requested.push(pathname);
  });
  await page.evaluate(() => {
    window.changes = 0;
    document.body.addEventListener("rhtmx:tasks:changed", (event) => {
      if (event.target === document.body) window.changes += event.detail.count;
    });
  });
  assert.equal(await page.evaluate(() => window.htmx.version.split(".")[0]), version);
  await isLive(page);
  return { page, requested };
}

/** Waits until the server knows everything that the page wants to be told. */
const isLive = (page) => page.evaluate(() => window.rhtmxIsLive().then(() => {}));

const swapped = (page, name) => page.locator(`li:text-is("${name}")`).first().waitFor();

async function changeTriggers(tools, version) {
  const { page, requested } = await open(tools, version);
  await isLive(page);
  assert.deepEqual(requested, [], "nothing has changed yet");
  await tools.ask("push tasks 1");
  await swapped(page, "from-body");
  await swapped(page, "own");
  await isLive(page);
  assert.deepEqual(requested.sort(), ["/from-body", "/own"]);
}

async function burst(tools, version) {
  const { page, requested } = await open(tools, version);
  await tools.ask("push tasks 500");
  await page.waitForFunction(() => window.changes === 500);
  await swapped(page, "from-body");
  const requests = requested.filter((path) => path === "/from-body").length;
  assert.ok(requests >= 1 && requests <= 50, `${requests} requests for 500 changes`);
}

async function swappedIn(tools, version) {
  const { page, requested } = await open(tools, version);
  await tools.ask("push lates 1");
  await isLive(page);
  assert.deepEqual(requested, [], "nobody has asked for it yet");
  await page.getByRole("button", { name: "More" }).click();
  await page.getByText("Nothing yet.").waitFor();
  await isLive(page);
  await tools.ask("push lates 1");
  await swapped(page, "late-list");
}

async function state(tools, version) {
  const { page } = await open(tools, version);
  await swapped(page, "state");
  await page.locator("#state").evaluate((list) => list.replaceChildren());
  // The server that could answer is the one that stops.
  await page.route("**/state", (route) => route.fulfill({ body: "<li>state</li>" }));
  await tools.ask("stop");
  await swapped(page, "state");
  await tools.ask("start");
}

async function form(tools, version) {
  const { page, requested } = await open(tools, version);
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator("form[data-rhtmx-state=invalid]").waitFor();
  await page.getByLabel("Email").fill("ada@example.com");
  assert.deepEqual(requested, []);
  const [request] = await Promise.all([
    page.waitForRequest((each) => each.url().includes("/sent")),
    page.getByRole("button", { name: "Send" }).dblclick(),
  ]);
  const search = new URL(request.url()).searchParams;
  assert.deepEqual([search.get("email"), search.get("how")], ["ada@example.com", "now"]);
  await page.getByText("Sent.").waitFor();
  assert.deepEqual(
    requested.filter((path) => path === "/sent"),
    ["/sent"],
  );
}

const both = (scenario) => ["2", "4"].map((version) => (tools) => scenario(tools, version));

export const [
  aChangeTriggersARequestAndNothingElseDoes2,
  aChangeTriggersARequestAndNothingElseDoes4,
] = both(changeTriggers);
export const [aBurstIsFewRequests2, aBurstIsFewRequests4] = both(burst);
export const [whatIsSwappedInIsLiveToo2, whatIsSwappedInIsLiveToo4] = both(swappedIn);
export const [theStateOfTheConnectionTriggersARequest2, theStateOfTheConnectionTriggersARequest4] =
  both(state);
export const [aFormIsRequestedOnceWhenItIsValid2, aFormIsRequestedOnceWhenItIsValid4] = both(form);
