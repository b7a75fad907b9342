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

/** Counts up to what the check takes, beyond, and back; what is wrong stays when the part is swapped. */
async function refusedCount({ visit, ask }, version) {
  const page = await visit(`/votes${version}`);
  const look = () =>
    page.locator("p").evaluateAll((all) => all.map(({ textContent }) => textContent));
  const says = async (id, text) => {
    await page.waitForFunction(
      ([id, text]) => document.getElementById(id)?.textContent === text,
      [id, text],
    );
  };
  await page.evaluate(() => {
    window.told = [];
    document.addEventListener("rhtmx:rejected", ({ detail: { error } }) =>
      told.push([error.code, error.violations.map(({ field, code }) => [field, code])]),
    );
  });
  const [more, less] = ["More", "Less"].map((name) => page.getByRole("button", { name }));
  /** Does what changes the poll, and waits until the part was swapped for that. */
  const changed = async (act) => {
    const before = await page.locator("#field").elementHandle();
    await act();
    await page.waitForFunction((each) => !each.isConnected, before);
    await page.locator("#field").waitFor({ state: "attached" });
  };
  for (const count of [1, 2]) {
    await changed(() => more.click());
    assert.deepEqual(await look(), ["", "", ""], `${count} is taken`);
  }
  await more.click();
  await says("field", "<b>at most 2</b>");
  assert.deepEqual(await look(), ["<b>at most 2</b>", "", ""]);
  await changed(() => less.click());
  assert.deepEqual(await look(), ["", "", ""]);
  await changed(() => ask("close today"));
  await less.click();
  await says("whole", "is closed");
  await changed(() => ask("close tomorrow"));
  assert.deepEqual(await look(), ["", "is closed", ""]);
  assert.deepEqual(await page.evaluate(() => told), [
    ["invalid", [["votes", "too_many"]]],
    ["invalid", [["", ""]]],
  ]);
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
export const [
  whatACheckRefusesOfACountStandsAtItsField2,
  whatACheckRefusesOfACountStandsAtItsField4,
] = both(refusedCount);
