/** What holds for several tabs of one browser. */
import assert from "node:assert/strict";

import { until } from "./engine.mjs";

/** Opens tabs; the first one leads. */
async function several(count, { open, ask }) {
  const tabs = [];
  while (tabs.length < count) {
    tabs.push(await open("/client"));
    await tabs.at(-1).waitFor(() => client.state === "open");
  }
  assert.equal(await ask("connections"), 1);
  assert.ok(await tabs[0].evaluate(() => client.info.leads));
  return tabs;
}

const write = (tab, id) => tab.evaluate((id) => window.write(id, { by: id }), id);
const durable = (tab, id) => tab.waitFor((id) => outcomes[id] === "durable", id);
const shows = (tab, id) => tab.waitFor((id) => tasks.row(id)?.pending === false, id);

export async function twoTabsShareOneConnectionAndEverythingWritten(world) {
  const [first, second] = await several(2, world);
  await write(first, "1");
  await shows(second, "1");
  await write(second, "2");
  await durable(second, "2");
  await shows(first, "2");
  assert.equal(await world.ask("connections"), 1);
  assert.deepEqual(await world.ask("effects"), { 1: 1, 2: 1 });
}

export async function aLeaderThatIsClosedHandsOverAtOnce(world) {
  const [leader, ...others] = await several(3, world);
  await leader.close();
  for (const [index, tab] of others.entries()) {
    await write(tab, `${index}`);
    await durable(tab, `${index}`);
  }
  const leads = await Promise.all(others.map((tab) => tab.evaluate(() => client.info.leads)));
  assert.deepEqual(leads.filter(Boolean), [true]);
  // The lock was given, not taken: nobody had to find out that there was no answer.
  for (const tab of others) assert.equal(await tab.evaluate(() => steals), 0);
  await until(async () => (await world.ask("connections")) === 1, "one connection");
  assert.deepEqual(await world.ask("effects"), { 0: 1, 1: 1 });
}

export async function aLeaderThatLeavesForAnotherPageHandsOverAtOnce(world) {
  const [leader, other] = await several(2, world);
  await leader.goto(new URL("/elsewhere", world.url).href);
  await write(other, "1");
  await durable(other, "1");
  assert.deepEqual(await other.evaluate(() => [client.info.leads, steals]), [true, 0]);
  await until(async () => (await world.ask("connections")) === 1, "one connection");
  await leader.back();
  await shows(leader, "1");
  await write(leader, "2");
  await durable(leader, "2");
  await shows(other, "2");
  assert.equal(await world.ask("connections"), 1);
  assert.deepEqual(await world.ask("effects"), { 1: 1, 2: 1 });
}

export async function aWriteThatIsStoredOutlivesItsTab(world) {
  const [leader, writer] = await several(2, world);
  await world.ask("cut");
  await leader.waitFor(() => client.state !== "open");
  await write(writer, "1");
  await writer.waitFor(() => client.queue.some(({ seq }) => seq));
  await writer.close();
  await world.ask("mend");
  await leader.evaluate(() => void dispatchEvent(new Event("online")));
  await shows(leader, "1");
  assert.deepEqual(await world.ask("effects"), { 1: 1 });
}

export async function oneTabTakesAllOffline(world) {
  const tabs = await several(2, world);
  await tabs[1].evaluate(() => client.offline());
  for (const tab of tabs) await tab.waitFor(() => client.state === "offline");
  await until(async () => (await world.ask("connections")) === 0, "no connection");
  for (const [index, tab] of tabs.entries()) await write(tab, `${index}`);
  await tabs[0].evaluate(() => client.online());
  for (const [index, tab] of tabs.entries()) await durable(tab, `${index}`);
  for (const tab of tabs) await shows(tab, "0").then(() => shows(tab, "1"));
  assert.deepEqual(await world.ask("effects"), { 0: 1, 1: 1 });
}
