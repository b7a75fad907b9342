/**
 * One browser window with the demo page, as its user sees it.
 *
 * Waits for conditions, never for time. What no page may do (an error on the
 * console, a violation of the Content Security Policy, a dialog) is collected
 * in `problems`.
 */

export const PATIENCE = 15_000;

/** What the browser itself says about a server that is gone. */
const SERVER_GONE = /WebSocket connection to .* failed|net::ERR_CONNECTION_REFUSED/;

export class Window {
  constructor(page) {
    this.page = page;
    this.problems = [];
    page.setDefaultTimeout(PATIENCE);
    page.on("dialog", async (dialog) => {
      this.problems.push(`a dialog opened: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("pageerror", (error) => this.problems.push(`uncaught: ${error.stack}`));
    page.on("console", (message) => {
      const bad = ["error", "warning"].includes(message.type());
      if (bad && !SERVER_GONE.test(message.text())) this.problems.push(message.text());
    });
  }

  /** Opens the page and waits until it is live and has loaded the tasks. */
  static async open(context, url) {
    const window = new Window(await context.newPage());
    await window.page.goto(url);
    await window.isLive();
    return window;
  }

  isLive() {
    return this.connection("live");
  }

  /** Waits for a state of the connection, and returns the words for it. */
  async connection(state) {
    const place = this.page.locator(`#connection[data-state=${state}]`);
    await place.waitFor();
    if (state === "live") await this.page.locator("#tasks-log:not(:empty)").waitFor();
    return place.innerText();
  }

  /** Adds a task and returns its id. */
  async add(title) {
    await this.page.getByLabel("New task").fill(title);
    await this.page.keyboard.press("Enter");
    return this.find(title);
  }

  /** Waits for a task of this title and returns its id. */
  async find(title) {
    const found = await this.wait(
      (wanted) => {
        const rows = [...document.querySelectorAll("#tasks > li")];
        const row = rows.find((each) => each.querySelector("[data-field=title]").value === wanted);
        return row?.dataset.id;
      },
      title,
      `a task '${title}'`,
    );
    return found.jsonValue();
  }

  /** The control of one field of a task. */
  field(id, name) {
    return this.page.locator(`[data-id="${id}"] [data-field=${name}]`);
  }

  /** Writes a text into a field of a task, and saves it. */
  async write(id, name, value) {
    await this.field(id, name).fill(value);
    await this.field(id, name).press("Enter");
  }

  /** Waits until a field of a task has a value. */
  async shows(id, name, value) {
    await this.wait(
      ([row, field, wanted]) => {
        const control = document.querySelector(`[data-id="${row}"] [data-field=${field}]`);
        return (control?.type === "checkbox" ? control.checked : control?.value) === wanted;
      },
      [id, name, value],
      `${name} of ${id} to be '${value}'`,
    );
  }

  /** Waits until everything that was written here is durable. */
  async saved() {
    await this.page.locator("#tasks-log", { hasText: "everything is saved" }).waitFor();
  }

  /** All tasks, as far as they can be read on the page. */
  tasks() {
    return this.page.locator("#tasks > li").evaluateAll((rows) =>
      rows.map((row) => [
        row.dataset.id,
        row.querySelector("[data-field=title]").value,
        row.querySelector("[data-field=assignee]").value,
        row.querySelector("[data-field=done]").checked,
      ]),
    );
  }

  /** Waits until a function in the page returns something true. */
  async wait(condition, argument, what) {
    try {
      return await this.page.waitForFunction(condition, argument, { timeout: PATIENCE });
    } catch (error) {
      const shown = await this.page.locator("body").innerText();
      throw new Error(`waited for ${what} in vain (${error.message}); the page says:\n${shown}`);
    }
  }
}
