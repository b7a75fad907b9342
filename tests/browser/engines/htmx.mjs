/** htmx 2 and 4 with live entities. Each scenario for both. */
import assert from "node:assert/strict";

async function open(world, version) {
  const tab = await world.open(`/htmx${version}`);
  assert.equal(await tab.evaluate(() => htmx.version.split(".")[0]), version);
  await tab.shows("form[data-rhtmx-state]");
  return tab;
}

async function change(world, version) {
  const tab = await open(world, version);
  const before = (await world.ask("requested")).filter((path) => path === "/tasks");
  assert.deepEqual(before, [], "nothing has changed yet");
  // When the server has said of the form what it is, it knows what the page watches.
  await tab.keys("[name=email]", "ada@");
  await tab.shows("[name=email][aria-invalid=true]");
  await world.ask("push", "tasks", "1", { n: 1 });
  await tab.shows("#tasks li");
  assert.ok(!(await world.ask("requested")).includes("/others"));
}

async function post(world, version) {
  const tab = await open(world, version);
  await tab.click("button");
  await tab.shows("[name=email][aria-invalid=true]");
  assert.deepEqual(await world.ask("posted"), [], "it is not valid");
  await tab.fill("[name=email]", "ada@example.com");
  await tab.fill("[name=amount]", "2");
  await world.ask("cut");
  await tab.click("button");
  await tab.shows("form[data-rhtmx-state=waiting]");
  assert.deepEqual(await world.ask("posted"), [], "nobody has said that it is valid");
  await world.ask("mend");
  await tab.evaluate(() => void dispatchEvent(new Event("online")));
  await tab.says("Posted.");
  const posted = await world.ask("posted");
  assert.deepEqual(
    posted.map((body) => Object.fromEntries(new URLSearchParams(body))),
    [{ email: "ada@example.com", amount: "2", how: "now" }],
  );
}

const both = (scenario) => ["2", "4"].map((version) => (world) => scenario(world, version));

export const [aChangeTriggersARequest2, aChangeTriggersARequest4] = both(change);
export const [aPostIsHeldAndSentOnce2, aPostIsHeldAndSentOnce4] = both(post);
