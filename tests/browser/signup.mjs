/** The sign-up form, judged in the page and by the server, and the members. */
import assert from "node:assert/strict";

const GOOD = { username: "ada", email: "ada@example.com", age: "36" };

function error(page, name) {
  return page.locator(`#${name}-error:not(:empty)`);
}

async function noError(page, name) {
  await page.locator(`#${name}[aria-invalid=false]`).waitFor();
  assert.equal(await page.locator(`#${name}-error`).textContent(), "");
}

async function fill(page, values) {
  for (const [name, value] of Object.entries(values)) await page.locator(`#${name}`).fill(value);
}

function submit(page) {
  return page.getByRole("button", { name: "Sign up" }).click();
}

export async function errorsComeAndGoAsOneTypes({ open }) {
  const { page } = await open();
  await page.getByLabel("Email", { exact: true }).pressSequentially("ada@");
  assert.match(await error(page, "email").innerText(), /Email must be an email address/);
  assert.equal(await page.locator("#email").getAttribute("aria-invalid"), "true");
  await page.locator("#email").pressSequentially("example.com");
  await noError(page, "email");
  await page.getByLabel("Age").pressSequentially("1");
  assert.match(await error(page, "age").innerText(), /Age must be between 13 and 120/);
  await page.getByLabel("Age").pressSequentially("8");
  await noError(page, "age");
}

export async function fieldsThatNobodyWroteInShowNoErrors({ open }) {
  const { page } = await open();
  await page.getByLabel("Age").focus();
  await page.keyboard.type("7");
  await error(page, "age").waitFor();
  assert.equal(await page.locator(".error:not(:empty)").count(), 1);
}

export async function leavingAFieldChecksItAtOnce({ open }) {
  const { page } = await open();
  // The pause after which a value is checked never ends here: leaving the field has to do it.
  await page.evaluate(() => (window.setTimeout = () => 0));
  await page.locator("#email").fill("nonsense");
  await page.keyboard.press("Tab");
  await error(page, "email").waitFor();
}

export async function whatTheSchemaSaysIsJudgedWithoutAConnection({ open }) {
  const window = await open();
  const { page } = window;
  await window.goOffline();
  await page.locator("#email").fill("ada@");
  await page.getByLabel("Username").fill("Ada");
  await page.getByLabel("Age").fill("7");
  assert.match(await error(page, "email").innerText(), /Email must be an email address/);
  assert.match(await error(page, "username").innerText(), /Username must be 3 to 20 of a-z/);
  await page.getByLabel("Age").fill("36");
  await noError(page, "age");
  // Whether somebody has it, only the server knows.
  await page.getByLabel("Username").fill("ada");
  await window.goOnline();
  await noError(page, "username");
}

export async function aRuleLooksAtTwoFields({ open }) {
  const { page } = await open();
  await page.getByLabel("Guardian’s email").fill("byron@example.com");
  await noError(page, "guardian");
  await page.getByLabel("Guardian’s email").fill("");
  await page.getByLabel("Age").fill("15");
  assert.match(await error(page, "guardian").innerText(), /is needed if you are younger than 18/);
  await page.getByLabel("Age").fill("18");
  await page.locator("#guardian-error:empty").waitFor({ state: "attached" });
}

export async function sendingWithErrorsTellsThemAndGoesToTheFirst({ open }) {
  const { page } = await open();
  await page.getByLabel("Age").fill("7");
  await submit(page);
  assert.match(await error(page, "username").innerText(), /Username is required/);
  assert.match(await error(page, "email").innerText(), /Email is required/);
  assert.match(await error(page, "age").innerText(), /between 13 and 120/);
  await page.locator("#username:focus").waitFor();
  await page.getByText("Nobody yet.").waitFor();
}

export async function aNewMemberShowsInEveryWindowWithNothingButTheName({ open }) {
  const [one, other] = await Promise.all([open(), open()]);
  await fill(one.page, GOOD);
  await submit(one.page);
  await one.page.getByText("Welcome, ada.").waitFor();
  assert.equal(await one.page.locator("#email").inputValue(), "");
  assert.equal(await one.page.locator("[aria-invalid]").count(), 0);
  for (const { page } of [one, other]) {
    await page.locator("#members .name").getByText("ada", { exact: true }).waitFor();
    assert.equal(await page.locator("#members").getByText("example.com").count(), 0);
  }
}

export async function aTakenUsernameIsToldWhileOneTypes({ open, ask }) {
  const { page } = await open();
  await ask("push", "members", "ada", { joined: "2026-01-01T00:00:00Z" });
  await page.locator("#members .name").getByText("ada", { exact: true }).waitFor();
  await page.getByLabel("Username").pressSequentially("ada");
  assert.match(await error(page, "username").innerText(), /Username “ada” is taken/);
  await page.getByLabel("Username").pressSequentially("_2");
  await noError(page, "username");
}

export async function ofTwoWhoSignUpAtOnceTheLoserSeesItAtTheField({ open, ask }) {
  const { page } = await open();
  // What takes the name is held back until somebody else has it.
  await page.evaluate(() => {
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (frame) {
      if (!String(frame).includes('"members"') || !String(frame).includes('"push"')) {
        return send.call(this, frame);
      }
      window.held = () => send.call(this, frame);
    };
  });
  await fill(page, { ...GOOD, username: "grace" });
  await submit(page);
  await page.waitForFunction(() => window.held);
  await ask("push", "members", "grace", { joined: "2026-01-01T00:00:00Z" });
  await page.evaluate(() => window.held());
  await page.getByText("Somebody else took “grace” a moment ago.").waitFor();
  assert.match(await error(page, "username").innerText(), /Username “grace” is taken/);
  await page.locator("#username:focus").waitFor();
  assert.equal(await page.locator("#email").inputValue(), GOOD.email);
  await page.getByText("No write was rejected.").waitFor();
  await page.getByText("1 member", { exact: true }).waitFor();
}

export async function aFormThatIsSentOfflineWaitsAndGoesOn({ open }) {
  const window = await open();
  await window.goOffline();
  await fill(window.page, GOOD);
  await submit(window.page);
  await window.page.locator("#signup[data-rhtmx-state=waiting]").waitFor();
  await window.goOnline();
  await window.page.getByText("Welcome, ada.").waitFor();
}

export async function whatWasTypedSurvivesAReload({ open }) {
  const window = await open();
  await window.page.getByLabel("Username").pressSequentially("ada_l");
  await window.reload();
  assert.equal(await window.page.getByLabel("Username").inputValue(), "ada_l");
}
