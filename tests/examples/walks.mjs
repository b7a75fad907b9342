/**
 * What people do at an order desk, whatever it is made with: ada and bob order, cleo and dan are
 * clerks. The desks differ in how one signs in.
 */
import assert from "node:assert/strict";
import { join } from "node:path";

const VIEW = { viewport: { width: 640, height: 560 }, colorScheme: "light" };

/** Chooses a name. */
async function byName(page, name) {
  await page.getByRole("button", { name, exact: true }).click();
  await page.getByRole("heading", { name: "Stock" }).waitFor();
}

const orders = (page) => page.locator("#orders li");
const ordered = (page, text) => orders(page).filter({ hasText: text }).waitFor();
const left = (page, goods, number) =>
  page
    .locator("#stock li")
    .filter({ hasText: `${goods}: ${number}` })
    .waitFor();

async function order(page, goods, count) {
  await page.getByLabel("Goods").selectOption(goods);
  await page.getByLabel("Count").fill(count);
  await page.getByRole("button", { name: "Order", exact: true }).click();
}

/** Counts some goods, one after the other. */
async function count(page, goods, times) {
  for (let each = 0; each < times; each++) {
    await page.getByRole("button", { name: `one more ${goods}` }).click();
  }
}

/** All that a desk promises. */
async function walk({ open }, signIn) {
  const [ada, bob, cleo, dan] = await Promise.all(
    ["ada", "bob", "cleo", "dan"].map(async (name) => {
      const page = await open(VIEW);
      await signIn(page, name);
      return page;
    }),
  );
  await order(ada, "tea", "0");
  await ada.getByText("must be between 1 and 99").waitFor();
  await order(ada, "tea", "3");
  await ordered(ada, "3 × tea");
  await ordered(cleo, "ada: 3 × tea");

  await order(bob, "rice", "2");
  await ordered(bob, "2 × rice");
  assert.equal(await orders(bob).count(), 1, "bob sees what is his");
  assert.equal(await orders(ada).count(), 1, "and ada what is hers");

  await Promise.all([count(cleo, "tea", 5), count(dan, "tea", 4)]);
  await Promise.all([ada, bob, cleo, dan].map((page) => left(page, "tea", 9)));
  assert.equal(await ada.getByRole("button", { name: "one more tea" }).count(), 0);

  return { ada, bob, cleo, dan };
}

/** What anything but the page posts is judged by the same rules; it tells how it was answered. */
const posted = (page, count) =>
  page.evaluate(async (count) => {
    const body = new URLSearchParams(new FormData(document.querySelector("[hx-post]")));
    body.set("count", count);
    return (await fetch("/orders", { method: "POST", body })).status;
  }, count);

/** A desk whose pages are rendered by the server. */
async function rendered(stage, signIn, name) {
  const { bob, cleo } = await walk(stage, signIn);
  await cleo.getByLabel("Count").fill("100");
  await cleo.getByText("must be between 1 and 99").waitFor();
  await cleo.screenshot({ path: join(stage.pictures, `${name}.png`) });

  assert.equal(await posted(bob, "100"), 422);
  assert.equal(await posted(bob, "7"), 200);
  await ordered(bob, "7 × rice");
  await bob.getByRole("button", { name: "Sign out" }).click();
  await bob.waitForURL("**/sign-in*");
  await signIn(bob, "cleo"); // the same browser is somebody else's now
  await ordered(bob, "ada: 3 × tea");
  await count(bob, "rice", 1);
  await left(cleo, "rice", 1);
}

/** Enters a name and the password of the example. */
async function byPassword(page, name) {
  await page.getByLabel("Username").fill(name);
  await page.getByLabel("Password").fill("order desk");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Stock" }).waitFor();
}

export const django = (stage) => rendered(stage, byPassword, "django-htmx");

export const fastapi = (stage) => rendered(stage, byName, "fastapi-htmx");

/** A desk that goes on without its server: what is done meanwhile is there when that is back. */
export async function react(stage) {
  const { ada, cleo, dan } = await walk(stage, byName);
  await stage.ask("stop");
  await dan.getByText("There is no connection").waitFor();
  await count(dan, "salt", 2);
  await left(dan, "salt", 2);
  await dan.locator("#stock li").filter({ hasText: "(waits)" }).waitFor();
  await order(ada, "salt", "1");
  await ordered(ada, "1 × salt (waits)");
  await order(dan, "rice", "100");
  await dan.getByText("must be between 1 and 99").waitFor();
  await dan.screenshot({ path: join(stage.pictures, "react.png") });

  await stage.ask("start");
  await ordered(cleo, "ada: 1 × salt");
  await Promise.all([ada, cleo, dan].map((page) => left(page, "salt", 2)));
  await dan.locator("#stock").filter({ hasNotText: "(waits)" }).waitFor();
}

/** A desk whose pages come with their records, and are live once their script runs. */
export async function ssr(stage) {
  const { dan } = await walk(stage, byName);
  const html = await (await dan.request.get(dan.url())).text();
  assert.match(html.replaceAll("<!-- -->", ""), /<li>ada: 3 × tea/);
  const stranger = await stage.open();
  const answer = await stranger.request.get(stage.url, { maxRedirects: 0 });
  assert.equal(answer.status(), 302);
  await dan.screenshot({ path: join(stage.pictures, "server-rendering.png") });
}

/** A desk whose orders a warehouse packs, if there is enough of what is ordered. */
export async function grpc({ open, ask, pictures }) {
  const [ada, dan] = await Promise.all([open(VIEW), open(VIEW)]);
  await Promise.all([byName(ada, "ada"), byName(dan, "dan")]);
  await order(ada, "tea", "2");
  await ordered(dan, "ada: 2 × tea");
  await order(ada, "rice", "1");
  await count(dan, "rice", 3);
  await ordered(ada, "1 × rice (packed)");
  await left(ada, "rice", 2);
  assert.equal(await orders(ada).filter({ hasText: "2 × tea (packed)" }).count(), 0);

  await count(dan, "tea", 2);
  await ordered(ada, "2 × tea (packed)");
  await left(dan, "tea", 0);
  await order(ada, "salt", "7");
  await ordered(ada, "7 × salt");
  await ada.screenshot({ path: join(pictures, "grpc-backend.png") });

  await ask("stop");
  await ask("start");
  await order(ada, "rice", "2");
  await ordered(dan, "ada: 2 × rice (packed)");
  await left(dan, "rice", 0);
}
