/** Several tabs of one browser profile: one client, one connection. */
import assert from "node:assert/strict";

async function leads(window) {
  return (await window.page.locator("[data-fact=tab]").innerText()).startsWith("leads");
}

/** Three tabs, and how many connections the server has. */
async function threeTabs(open, openTab) {
  const one = await open();
  const tabs = [one, await openTab(one), await openTab(one)];
  const connections = async () => {
    const metrics = await (await fetch(new URL("/metrics", one.page.url()))).text();
    return Number(/^rhtmx_connections\{endpoint="unified"\} (\d+)/m.exec(metrics)[1]);
  };
  return { tabs, connections };
}

export async function threeTabsHaveOneConnectionAndOneQueue({ open, openTab }) {
  const { tabs, connections } = await threeTabs(open, openTab);
  const [one, two, three] = tabs;
  assert.equal(await connections(), 1);
  assert.equal((await Promise.all(tabs.map(leads))).filter(Boolean).length, 1);
  const id = await two.add("Written in one tab");
  for (const tab of tabs) await tab.shows(id, "title", "Written in one tab");
  await one.write(id, "title", "Written in another");
  await three.write(id, "notes", "And in a third");
  for (const tab of tabs) {
    await tab.shows(id, "title", "Written in another");
    await tab.shows(id, "notes", "And in a third");
    await tab.saved();
    assert.equal(await tab.told(), 0);
  }
}

export async function anotherTabTakesOverFromOneThatIsKilled({ open, openTab }) {
  const { tabs } = await threeTabs(open, openTab);
  const leading = await Promise.all(tabs.map(leads));
  const leader = tabs[leading.indexOf(true)];
  const others = tabs.filter((tab) => tab !== leader);
  const id = await others[0].add("Before");
  for (const tab of tabs) await tab.shows(id, "title", "Before");
  await others[0].saved();
  // No goodbye: the process of the tab is gone.
  const crashed = leader.page.waitForEvent("crash");
  void leader.page.goto("chrome://crash").catch(() => {});
  await crashed;
  leader.problems.length = 0;
  await others[0].write(id, "title", "After");
  await others[1].shows(id, "title", "After");
  for (const tab of others) await tab.saved();
  assert.equal((await Promise.all(others.map(leads))).filter(Boolean).length, 1);
}

export async function theSwitchIsOneForAllTabs({ open, openTab }) {
  const one = await open();
  const other = await openTab(one);
  await one.goOffline();
  await other.page.getByRole("switch", { name: "Offline", checked: true }).waitFor();
  await other.connection("offline");
  await other.goOnline();
  await one.isLive();
}
