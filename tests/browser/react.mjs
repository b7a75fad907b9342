/**
 * React in a real browser: the page that the documentation shows, and pages of which a
 * part is hydrated late.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { join } from "node:path";

/** Lets the page draw twice: what follows from what has happened has happened then. */
const drawn = (page) =>
  page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );

/** The documented page shows what is there and what comes, and writes what is typed. */
function boardOf(path) {
  return async ({ visit, ask }) => {
    const page = await visit(path);
    const field = page.locator("li input");
    await page.locator("ul").waitFor({ state: "attached" });
    await ask("push", "1", "One");
    await page.waitForFunction(() => document.querySelector("li input")?.value === "One");
    await page.locator('ul[aria-busy="false"]').waitFor({ state: "attached" });
    await field.press("End");
    await field.pressSequentially(" more");
    assert.equal(await field.inputValue(), "One more");
    await page.waitForFunction(() => !document.querySelector("li").textContent.includes("…"));
    assert.deepEqual(await ask("get", "1"), { title: "One more" });
    await page.reload();
    await page.waitForFunction(() => document.querySelector("li input")?.value === "One more");
  };
}

/** The documented form is checked, and sent once it is valid. */
function formOf(path) {
  return async ({ visit }) => {
    const page = await visit(path);
    await page.locator('ul[aria-busy="false"]').waitFor({ state: "attached" });
    const email = page.locator("input[name=email]");
    const button = page.getByRole("button", { name: "Sign up" });
    const said = [];
    page.on("console", (message) => said.push(message.text()));
    await email.fill("ada@example.com");
    await page.getByText("is already registered").waitFor();
    await page.locator("button:disabled").waitFor();
    await email.fill("eve@example.com");
    await page.locator("button:enabled").waitFor();
    const valid = page.waitForEvent("console", (message) => message.text() === "valid");
    await button.click();
    await valid;
    assert.equal(said.filter((each) => each === "valid").length, 1);
  };
}

/** What a server has rendered is kept: the elements are the same when the rows have come. */
function serverBoardOf(path) {
  return async ({ visit, ask }) => {
    await ask("push", "1", "One");
    const page = await visit(path, { before: markLists });
    await page.waitForFunction(() => document.querySelector("li input")?.value === "One");
    assert.equal(
      await page.evaluate(() => document.querySelector("ul").marker),
      "server, busy: true",
    );
  };
}

/** Marks each list as soon as it is there, before a script of the page has run. */
function markLists() {
  new MutationObserver(() => {
    for (const list of document.querySelectorAll("ul:not([marker])")) {
      if (!window.tasks && !list.marker) list.marker = `server, busy: ${list.ariaBusy}`;
    }
  }).observe(document, { childList: true, subtree: true });
}

/** Waits until the page's client has the task, and has told everybody. */
async function hasRows(page) {
  await page.evaluate(() => window.tasks.synced);
  await page.waitForFunction(
    () => window.tasks.snapshot.length === 1 && window.client.state === "open",
  );
  await drawn(page);
}

/** A part whose code comes late keeps its HTML, whatever is shown around it meanwhile. */
function latePartOf(path, shown) {
  return async ({ visit, ask }) => {
    await ask("push", "1", "One");
    const page = await visit(path);
    await page.evaluate(() => (document.querySelector("#part").marker = "mine"));
    await hasRows(page);
    const look = () =>
      page.evaluate(() => {
        const part = document.querySelector("#part");
        return [part?.marker, part?.dataset.from, document.querySelectorAll("#fallback").length];
      });
    assert.deepEqual(await look(), ["mine", "server", 0]);
    await page.evaluate(() => window.arrive());
    await page.waitForFunction(
      (text) => document.querySelector("#around").textContent === text,
      shown,
    );
    await page.getByText("1 inside").waitFor();
    assert.deepEqual(await look(), ["mine", "server", 0]);
    await ask("push", "2", "Two");
    await page.getByText("2 inside").waitFor();
  };
}

/** What a user types shows at once, also while a part has still to come. */
function typingOf(path) {
  return async ({ visit, ask }) => {
    await ask("push", "1", "One");
    const page = await visit(path);
    await hasRows(page);
    const field = page.locator("#title");
    await field.pressSequentially("ab");
    assert.equal(await field.inputValue(), "ab");
    await page.evaluate(() => window.arrive());
    await page.getByText("1 inside").waitFor();
    assert.equal(await field.inputValue(), "ab");
    await page.waitForFunction(() => window.client.queue.length === 0);
    assert.deepEqual(await ask("get", "1"), { title: "ab" });
  };
}

/**
 * After an action React resets the form: a checkbox that is controlled is not ticked then,
 * and its state says that it is (react-dom 19.3.1). What is checked is what would be sent.
 */
function termsOf(path) {
  return async ({ visit }) => {
    const page = await visit(path);
    const [box, send] = [page.getByRole("checkbox"), page.getByRole("button", { name: "Send" })];
    await page.waitForFunction(() => window.client.state === "open");
    await box.click();
    await send.click();
    await page.getByText("agreed: true, sent: 1").waitFor();
    await page.waitForFunction(() => !document.querySelector("[name=agreed]").checked);
    await send.click();
    await page.getByText("is required").waitFor();
    await page.getByText("agreed: true, sent: 1").waitFor();
  };
}

/** What a check refuses stands at its field, of the form that wrote it, until it is right. */
function bookingOf(path) {
  return async ({ visit, ask }) => {
    const page = await visit(path);
    const [start, end] = ["start", "end"].map((name) => page.locator(`[name=${name}]`));
    const book = page.getByRole("button", { name: "Book" });
    const said = page.locator('[data-rhtmx-error="end"]');
    await page.waitForFunction(() => window.client.state === "open");
    await start.fill("8");
    await end.fill("3");
    await book.click();
    await said.getByText("ends before it starts").waitFor();
    await page.locator('#errors:text-is(\'{"end":"ends before it starts"}\')').waitFor();
    assert.equal(await end.getAttribute("aria-invalid"), "true");
    assert.equal(await end.evaluate((each) => each === document.activeElement), true);
    await drawn(page);
    assert.deepEqual([await start.inputValue(), await end.inputValue()], ["8", "3"]);
    assert.equal(await said.textContent(), "ends before it starts");
    assert.equal(await ask("get booking", "1"), null);
    await end.fill("9");
    await page.locator("#errors:text-is('{}')").waitFor();
    await book.click();
    await page.waitForFunction(() => document.querySelector("#start").value === "8");
    await page.waitForFunction(() => window.client.queue.length === 0);
    assert.deepEqual(await ask("get booking", "1"), { start: 8, end: 9 });
    assert.equal(await said.textContent(), "");
  };
}

/** What a check refuses of one field stands at the field that it is about, until it is right. */
function bookingFieldOf(path) {
  return async ({ visit, ask }) => {
    const page = await visit(path);
    await page.waitForFunction(() => window.client.state === "open");
    await page.locator("[name=start]").fill("1");
    await page.locator("[name=end]").fill("3");
    await page.getByRole("button", { name: "Book" }).click();
    await page.waitForFunction(() => document.querySelector("#start").value === "1");
    const field = page.locator("#start");
    const says = (text) => page.locator(`#said:text-is("${text}")`).waitFor();
    await field.fill("8");
    await says(" ;too_early ends before it starts;");
    await page.locator("#error:text-is('invalid')").waitFor();
    assert.equal(await field.inputValue(), "1");
    await field.fill("2");
    await says(" ; ;");
    await page.waitForFunction(() => window.client.queue.length === 0);
    assert.deepEqual(await ask("get booking", "1"), { start: 2, end: 3 });
  };
}

/** A part whose HTML comes late is kept, too. */
function streamedPartOf(build) {
  return async ({ visit, ask, url }) => {
    await ask("push", "1", "One");
    let comes;
    const data = new Promise((resolve) => (comes = resolve));
    const { server, address } = await streaming(url, build, data, await ask("folder"));
    try {
      const page = await visit(address, { waitUntil: "commit" });
      await page.locator("#fallback").waitFor();
      await page.waitForFunction(() => window.tasks);
      await hasRows(page);
      assert.equal(await page.locator("#fallback").count(), 1);
      comes();
      await page.getByText("1 inside").waitFor();
      await page.waitForFunction(() => document.querySelector("#around").textContent === "1");
      assert.equal(await page.locator("#part").getAttribute("data-from"), "server");
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };
}

/** A server in Node that sends its page piece by piece; what else it is asked for `url` has. */
async function streaming(url, build, data, folder) {
  const mode = build.replace("strict-", "");
  const { render } = createRequire(import.meta.url)(join(folder, `parts_server-${mode}.js`));
  const server = createServer((_request, answer) => {
    answer.setHeader("content-type", "text/html");
    answer.write(`<!doctype html><title>Test</title><link rel="icon" href="${url}/icon.svg">`);
    answer.write('<div id="root">');
    const script = `${url}/parts-${mode}.js`;
    const stream = render("streamed", () => stream.pipe(answer), { data, script });
  });
  server.on("upgrade", (request, socket) => {
    const { port, hostname } = new URL(url);
    const other = connect(port, hostname, () => {
      const lines = [`GET ${request.url} HTTP/1.1`];
      for (let at = 0; at < request.rawHeaders.length; at += 2) {
        lines.push(request.rawHeaders.slice(at, at + 2).join(": "));
      }
      other.write(`${lines.join("\r\n")}\r\n\r\n`);
      socket.pipe(other).pipe(socket);
    });
    for (const each of [socket, other]) each.on("error", () => other.destroy());
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { server, address: `http://127.0.0.1:${server.address().port}/${build}/streamed` };
}

/** Two browsers at one record see each other come, change and go. */
function presenceOf(path) {
  const shows = (page, ...names) =>
    page.waitForFunction((wanted) => {
      const items = [...document.querySelectorAll("li")].map(({ textContent }) => textContent);
      return items.sort().join("; ") === wanted;
    }, names.join("; "));
  return async ({ visit, ask }) => {
    await ask("push", "1", "One");
    const ada = await visit(`${path}?ada`);
    const bob = await visit(`${path}?bob`);
    for (const page of [ada, bob]) await shows(page, "ada", "bob");
    await bob.getByRole("button", { name: "Type" }).click();
    for (const page of [ada, bob]) await shows(page, "ada", "bob, typing");
    await bob.goto("about:blank");
    await shows(ada, "ada");
  };
}

const SHOWN = { collection: "1", where: "1", record: "One", connection: "open", field: "One" };

/** The scenarios, by what they do and the page on which they do it. */
export const scenarios = {};
for (const build of ["development", "strict-development", "production"]) {
  const strict = build.startsWith("strict-") ? "strict-" : "";
  const mode = build.replace("strict-", "");
  for (const variant of ["", "memory-", "where-"]) {
    scenarios[`board ${variant}${build}`] = boardOf(`/${strict}${variant}${mode}`);
  }
  scenarios[`server board ${build}`] = serverBoardOf(`/${strict}server-${mode}`);
  scenarios[`form ${build}`] = formOf(`/${build}`);
  for (const [name, shown] of Object.entries(SHOWN)) {
    scenarios[`late ${name} ${build}`] = latePartOf(`/${build}/${name}`, shown);
  }
  scenarios[`presence ${build}`] = presenceOf(`/${build}/presence`);
  scenarios[`terms ${build}`] = termsOf(`/${build}/terms`);
  for (const name of ["booking", "booking-action"]) {
    scenarios[`${name} ${build}`] = bookingOf(`/${build}/${name}`);
  }
  scenarios[`booking-field ${build}`] = bookingFieldOf(`/${build}/booking`);
  scenarios[`typing ${build}`] = typingOf(`/${build}/field`);
  scenarios[`streamed ${build}`] = streamedPartOf(build);
}
