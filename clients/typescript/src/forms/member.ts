/**
 * The members of a form, a document or any other node, whatever is in it.
 *
 * Knows how a browser looks members up. Must not know what they are needed for.
 */

/**
 * A member as the node's class has it; a function comes bound to the node.
 *
 * A form has its controls as properties, and a document its images, forms and
 * frames, before those of its class (HTML, `[LegacyOverrideBuiltIns]` of
 * `HTMLFormElement` and `Document`): `<input name="append">` takes `form.append`
 * away, and `<img name="body">` the body.
 *
 * @example
 * member(form, "querySelector")("input");
 */
export function member<N extends object, K extends keyof N>(node: N, key: K): N[K] {
  const found = Reflect.get(Object.getPrototypeOf(node), key, node);
  return typeof found === "function" ? found.bind(node) : found;
}
