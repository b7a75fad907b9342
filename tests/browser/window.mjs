/**
 * One browser window with the demo page, as its user sees it.
 *
 * Waits for conditions, never for time. What no page may do (an error on the
 * console, a violation of the Content Security Policy, a dialog, asking for what
 * is none of its own) is collected in `problems`.
 */

export const PATIENCE = 60_000;

/** What the browser itself says about a server that is gone, or a network. */
const GONE =
  /WebSocket connection to .* failed|net::ERR_(CONNECTION_REFUSED|INTERNET_DISCONNECTED)/;

/** All that the demo asks for. */
const OWN =
  /^http:\/\/127\.0\.0\.1:\d+\/(|(?:demo|inspector)\.css|demo\.js|inspector\.svg|api\/ws|api\/schema)(#[a-z-]*)?$/;

export class Window {
  /** @param own addresses that the page may ask for. */
  constructor(page, own = OWN) {
    this.page = page;
    this.problems = [];
    page.setDefaultTimeout(PATIENCE);
    page.on("dialog", async (dialog) => {
      this.problems.push(`a dialog opened: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("pageerror", (error) => this.problems.push(`uncaught: ${error.stack}`));
    page.on("request", (request) => {
      if (!own.test(request.url())) this.problems.push(`asked for ${request.url()}`);
    });
    page.on("console", (message) => {
      const bad = ["error", "warning"].includes(message.type());
      if (bad && !GONE.test(message.text())) this.problems.push(message.text());
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
    if (state === "live") {
      await this.page.locator("#board[data-synced]").waitFor();
      await this.page.locator("#schema[aria-busy=false]").waitFor();
    }
    return place.innerText();
  }

  /** Uses the switch. */
  async goOffline() {
    await this.page.getByRole("switch", { name: "Offline", checked: false }).click();
    await this.connection("offline");
  }

  async goOnline() {
    await this.page.getByRole("switch", { name: "Offline", checked: true }).click();
    await this.isLive();
  }

  /** Loads the page anew; what is stored shows before there is a connection. */
  async reload() {
    await this.page.reload();
    await this.page.locator("#tasks-log:not(:empty)").waitFor();
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
        const cards = [...document.querySelectorAll(".card")];
        const card = cards.find(
          (each) => each.querySelector("[data-field=title]").value === wanted,
        );
        return card?.dataset.id;
      },
      title,
      `a task '${title}'`,
    );
    return found.jsonValue();
  }

  /** The card of a task. */
  card(id) {
    return this.page.locator(`.card[data-id=${JSON.stringify(id)}]`);
  }

  /** The control of one field of a task. */
  field(id, name) {
    return this.card(id).locator(`[data-field=${name}]:not(.conflict)`);
  }

  /** The conflict of one field of a task. */
  conflict(id, name) {
    return this.card(id).locator(`.conflict[data-field=${name}]`);
  }

  /** Writes a text into a field of a task, and saves it. */
  async write(id, name, value) {
    await this.field(id, name).fill(value);
    await this.field(id, name).press(name === "notes" ? "Control+Enter" : "Enter");
  }

  /** Moves a task to another column. */
  async move(id, column) {
    await this.field(id, "column").selectOption(column);
  }

  /** Deletes a task. */
  async remove(id) {
    await this.card(id).getByRole("button", { name: "Delete" }).click();
    await this.card(id).waitFor({ state: "detached" });
  }

  /** Waits until a field of a task has a value. */
  async shows(id, name, value) {
    await this.wait(
      ([card, field, wanted]) => {
        const cards = [...document.querySelectorAll(".card")];
        const found = cards.find((each) => each.dataset.id === card);
        return found?.querySelector(`[data-field=${field}]`).value === wanted;
      },
      [id, name, value],
      `${name} of ${id} to be '${value}'`,
    );
  }

  /** Waits until everything that was written here is durable. */
  async saved() {
    await this.page.locator("#tasks-log", { hasText: "everything is saved" }).waitFor();
    await this.page.locator(".card[data-pending=true]").waitFor({ state: "detached" });
  }

  /** Waits until so many writes wait for the server. */
  async waiting(count) {
    await this.wait(
      (wanted) => {
        const numbers = [...document.querySelectorAll("#queue > .entry .number")];
        return (
          numbers.length === wanted && numbers.every(({ textContent }) => /^\d+$/.test(textContent))
        );
      },
      count,
      `${count} writes to wait, all of them stored`,
    );
  }

  /** All tasks, as far as they can be read on the page, column by column. */
  tasks() {
    return this.page.locator(".card").evaluateAll((cards) =>
      cards.map((card) => {
        const fields = ["title", "assignee", "notes", "column"];
        return fields.map((name) => card.querySelector(`[data-field=${name}]`).value);
      }),
    );
  }

  /** How many open conflicts and notices there are. */
  told() {
    return this.page.locator(".conflict, .notice").count();
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
