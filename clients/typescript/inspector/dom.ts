/**
 * Finds and moves the parts of the page.
 *
 * Knows the DOM. Must not know what the parts are for.
 */

type Kind<E extends Element> = abstract new () => E;

/**
 * The first element inside `root` that matches.
 *
 * @throws Error there is none, or it is of another kind: page and script do not fit.
 */
export function find<E extends Element>(root: ParentNode, selector: string, kind: Kind<E>): E {
  const found = root.querySelector(selector);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} ${selector}`);
}

/** A copy of what a `<template>` holds. */
export function instantiate(template: string): HTMLElement {
  const { content } = find(document, `template#${template}`, HTMLTemplateElement);
  return find(document.importNode(content, true), "*", HTMLElement);
}

/** A new element: of this tag, of this class unless that is empty, with a text or an element in it. */
export function element(tag: string, name = "", content: string | Node = ""): HTMLElement {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(content);
  return made;
}

/** Sets a text if it is another one, so that it is not announced again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a text and its element, or hides that if the text is empty. */
export function showText(element: HTMLElement, text: string): void {
  setText(element, text);
  element.hidden = text === "";
}

/**
 * Brings elements of a list into their order, from wherever they are now. Those that
 * stand right are not touched, and those that are not named are left where they are.
 */
export function arrange(list: Element, elements: readonly Element[]): void {
  const named = new Set(elements);
  const skip = (each: Element | null): Element | null => {
    while (each && !named.has(each)) each = each.nextElementSibling;
    return each;
  };
  let next = skip(list.firstElementChild);
  for (const element of elements) {
    if (element === next) next = skip(next.nextElementSibling);
    else put(element, list, next);
  }
}

/** Whether an element is being put elsewhere: the browser takes that for leaving its controls. */
export function isMoving(): boolean {
  return moving;
}

let moving = false;

/** Puts an element before another one; what is being written in it stays and has the focus. */
function put(element: Element, list: Element, before: Element | null): void {
  const active = document.activeElement;
  moving = true;
  list.insertBefore(element, before);
  if (active instanceof HTMLElement && element.contains(active)) active.focus();
  moving = false;
}
