/** Bound forms, as their users meet them. */
import assert from "node:assert/strict";

const GOOD = "ada@example.com";

/** Counts the requests for the page that a form is sent to. */
function sentTo(page) {
  const sent = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.pathname === "/sent") sent.push(url.search);
  });
  return sent;
}

/** The words that describe a control, as assistive technology finds them. */
function described(control) {
  return control.evaluate((each) =>
    each
      .getAttribute("aria-describedby")
      .split(" ")
      .map((id) => document.getElementById(id).textContent),
  );
}

const invalid = (page, name) => page.locator(`[name=${name}][aria-invalid=true]`).waitFor();

export async function anErrorIsShownWhereAScreenReaderFindsIt({ visit }) {
  const page = await visit("/form");
  const email = page.getByLabel("Email");
  await email.pressSequentially("ada@");
  await invalid(page, "email");
  assert.deepEqual(await described(email), ["We write once a month.", "is not an email address"]);
  const place = page.locator("[data-rhtmx-error=email]");
  assert.equal(await place.getAttribute("aria-live"), "polite");
  const tree = await page.locator("form").ariaSnapshot();
  assert.match(tree, /textbox "Email"/, "the error is no part of the name");
  await email.pressSequentially("example.com");
  await page.locator("[name=email][aria-invalid=false]").waitFor();
  assert.deepEqual(await described(email), ["We write once a month.", ""]);
}

export async function aValidFormIsSentOnceWithItsButton({ visit }) {
  const page = await visit("/form");
  const sent = sentTo(page);
  await page.getByLabel("Email").fill(GOOD);
  await page.getByRole("button", { name: "Send" }).dblclick();
  await page.getByText("Sent.").waitFor();
  assert.equal(sent.length, 1);
  const search = new URLSearchParams(sent[0]);
  assert.deepEqual([search.get("email"), search.get("how")], [GOOD, "now"]);
}

export async function aFormThatIsNotValidIsNotSentAndTheFirstErrorHasTheFocus({ visit }) {
  const page = await visit("/form");
  const sent = sentTo(page);
  await page.getByLabel("Days").selectOption(["tu"]);
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator("form[data-rhtmx-state=invalid]").waitFor();
  await invalid(page, "email");
  await invalid(page, "days");
  assert.equal(await page.evaluate(() => document.activeElement.name), "email");
  await page.getByLabel("Email").fill(GOOD);
  await page.getByLabel("Days").selectOption([]);
  await page.keyboard.press("Tab");
  await page.getByLabel("Email").press("Enter");
  await page.getByText("Sent.").waitFor();
  assert.equal(sent.length, 1);
}

export async function aDraftSurvivesAReloadButNoPasswordDoes({ visit }) {
  const page = await visit("/form");
  await page.getByLabel("Email").fill("ada@");
  await page.getByLabel("Key").fill("secret");
  // A choice that a script makes is none of the user's.
  await page.getByLabel("Days").press("w");
  await page.evaluate(() => {
    addEventListener("pagehide", () => (sessionStorage.seen = JSON.stringify(sessionStorage)));
  });
  await page.reload();
  // Only the client puts this back and asks about it.
  await invalid(page, "email");
  assert.equal(await page.getByLabel("Email").inputValue(), "ada@");
  const chosen = await page
    .getByLabel("Days")
    .evaluate((each) => new FormData(each.form).getAll("days"));
  assert.deepEqual(chosen, ["we"]);
  const kept = await page.evaluate(() => sessionStorage.seen);
  assert.ok(kept.includes("ada@") && !kept.includes("secret"), kept);
  await page.getByLabel("Email").fill(GOOD);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Sent.").waitFor();
  const { pathname } = new URL("/form", page.url());
  await page.goto(new URL(pathname, page.url()).href);
  await page.locator("form[data-rhtmx-state=idle]").waitFor();
  assert.equal(await page.getByLabel("Email").inputValue(), "");
}

export async function severalChoicesAndNamesWithQuotesAreAskedAbout({ visit }) {
  const page = await visit("/form");
  await page.getByLabel("Days").selectOption(["mo", "tu"]);
  await invalid(page, "days");
  assert.deepEqual(await described(page.getByLabel("Days")), ["is taken"]);
  const quoted = page.getByLabel("Quoted");
  await quoted.fill("long");
  await quoted.blur();
  await page.locator("[name^=say][aria-invalid=true]").waitFor();
  assert.match((await described(quoted))[0], /too long/);
  assert.equal(await page.locator("[data-rhtmx-error^=say]").count(), 1);
}

export async function withoutAConnectionASubmissionWaitsAndThenGoesOn({ visit, ask }) {
  const page = await visit("/form");
  const sent = sentTo(page);
  await page.getByLabel("Email").fill(GOOD);
  await page.locator("[name=email][aria-invalid=false]").waitFor();
  await ask("stop");
  await page.evaluate(() => document.querySelector("form").requestSubmit());
  await page.locator("form[data-rhtmx-state=waiting]").waitFor();
  await page.getByText("Waiting for the connection…").waitFor();
  assert.deepEqual(sent, []);
  await ask("start");
  await page.getByText("Sent.").waitFor();
  assert.equal(sent.length, 1);
}
