/** The contact form, checked by the server. */
import assert from "node:assert/strict";

const GOOD = { email: "ada@example.com", message: "Hello, this is long enough." };

function error(page, name) {
  return page.locator(`#${name}-error:not(:empty)`);
}

async function noError(page, name) {
  await page.locator(`#${name}[aria-invalid=false]`).waitFor();
  assert.equal(await page.locator(`#${name}-error`).textContent(), "");
}

export async function errorsComeAndGoAsOneTypes({ open }) {
  const { page } = await open();
  await page.getByLabel("Email").pressSequentially("ada@");
  assert.match(await error(page, "email").innerText(), /Email is not an email address/);
  assert.equal(await page.getByLabel("Email").getAttribute("aria-invalid"), "true");
  await page.getByLabel("Email").pressSequentially("example.com");
  await noError(page, "email");
  await page.getByLabel("Message").pressSequentially("short");
  assert.match(await error(page, "message").innerText(), /too short: 5 characters, at least 10/);
  await page.getByLabel("Message").pressSequentially(" but long enough");
  await noError(page, "message");
}

export async function fieldsThatNobodyWroteInShowNoErrors({ open }) {
  const { page } = await open();
  await page.getByLabel("Email").focus();
  for (const _ of ["answer", "phone", "message"]) await page.keyboard.press("Tab");
  await page.keyboard.type("short");
  await error(page, "message").waitFor();
  assert.equal(await page.locator(".error:not(:empty)").count(), 1);
}

export async function leavingAFieldChecksItAtOnce({ open }) {
  const { page } = await open();
  // The pause after which a value is checked never ends here: leaving the field has to do it.
  await page.evaluate(() => (window.setTimeout = () => 0));
  await page.getByLabel("Email").fill("nonsense");
  await page.keyboard.press("Tab");
  await error(page, "email").waitFor();
}

export async function aRuleLooksAtTwoFields({ open }) {
  const { page } = await open();
  await page.getByLabel("Phone").fill("+47 22 33 44 55");
  await noError(page, "phone");
  await page.getByLabel("Phone").fill("");
  await page.getByLabel("Answer me by").selectOption("phone");
  assert.match(await error(page, "phone").innerText(), /Phone is needed if we are to call you/);
  await page.getByLabel("Answer me by").selectOption("email");
  await page.locator("#phone-error:empty").waitFor({ state: "attached" });
}

export async function sendingWithErrorsTellsThemAndGoesToTheFirst({ open }) {
  const { page } = await open();
  await page.getByLabel("Message").fill("short");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("2 fields need another look.").waitFor();
  assert.match(await error(page, "email").innerText(), /Email is required/);
  assert.match(await error(page, "message").innerText(), /too short/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "email");
}

export async function sendingAValidFormSaysSo({ open }) {
  const { page } = await open();
  for (const [name, value] of Object.entries(GOOD)) await page.locator(`#${name}`).fill(value);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Thank you, everything is valid.").waitFor();
  assert.equal(await page.getByLabel("Email").inputValue(), "");
  assert.equal(await page.locator("[aria-invalid]").count(), 0);
}
