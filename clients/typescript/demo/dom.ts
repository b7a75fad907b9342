/**
 * Finds the parts of the page.
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

/** Sets a text if it is another one, so that it is not announced again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
