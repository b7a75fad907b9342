/**
 * A list on the page that follows a list of things.
 *
 * Knows elements by the keys of what they show. Must not know what that is.
 */
import { arrange, instantiate } from "./dom.ts";

/** See the head of the file. */
export class KeyedList<T> {
  readonly #list: Element;
  readonly #template: string;
  readonly #key: (thing: T) => string;
  readonly #fill: (element: HTMLElement, thing: T) => void;
  #elements = new Map<string, HTMLElement>();

  /**
   * @param template the id of the `<template>` of one element.
   * @param key tells one thing from the others.
   * @param fill shows a thing in an element, also again.
   */
  constructor(
    list: Element,
    template: string,
    key: (thing: T) => string,
    fill: (element: HTMLElement, thing: T) => void,
  ) {
    this.#list = list;
    this.#template = template;
    this.#key = key;
    this.#fill = fill;
  }

  /** Shows these things, in this order. */
  show(things: readonly T[]): void {
    const before = this.#elements;
    this.#elements = new Map();
    for (const thing of things) {
      const key = this.#key(thing);
      const element = before.get(key) ?? instantiate(this.#template);
      before.delete(key);
      this.#fill(element, thing);
      this.#elements.set(key, element);
    }
    for (const gone of before.values()) gone.remove();
    arrange(this.#list, [...this.#elements.values()]);
  }
}
