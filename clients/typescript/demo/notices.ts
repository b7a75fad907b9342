/**
 * Messages to the user that stay until dismissed.
 *
 * Knows where they are shown. Must not know what they are about.
 */
import { find, instantiate } from "../inspector/dom.ts";

/** What can be done about it. */
export interface Remedy {
  readonly label: string;
  readonly act: () => void;
  /** Nothing is to be done about it. */
  readonly dismissed?: () => void;
  /** A text of the user hangs on it: it stays until it is dismissed. */
  readonly keeps?: boolean;
}

/** More than these are of no use to a reader: the oldest goes, unless a text hangs on it. */
const MOST = 5;

/** See the head of the file. */
export class Notices {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  /** Shows a message, and a button if something can be done about it. */
  show(text: string, remedy?: Remedy): void {
    const notice = instantiate("notice");
    find(notice, "p", HTMLElement).textContent = text;
    const close = () => notice.remove();
    find(notice, ".dismiss", HTMLButtonElement).addEventListener("click", () => {
      close();
      remedy?.dismissed?.();
    });
    if (remedy) {
      const button = find(notice, ".act", HTMLButtonElement);
      button.textContent = remedy.label;
      button.hidden = false;
      button.addEventListener("click", () => {
        close();
        remedy.act();
      });
    }
    notice.classList.toggle("passing", !remedy?.keeps);
    this.#list.append(notice);
    const passing = this.#list.querySelectorAll(".passing");
    if (passing.length > MOST) passing[0]?.remove();
  }
}
