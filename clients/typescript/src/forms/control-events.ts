/**
 * What happens in the controls of a form, wherever they stand.
 *
 * Knows how events travel. Must not know what they mean.
 */
import { rootOf } from "./error-display.ts";
import { member } from "./member.ts";
import { controlsOf } from "./values.ts";

/**
 * Calls a listener for what happens in a control of the form, also in one that stands
 * elsewhere (`form="id"`).
 *
 * @param listeners by the type of the event.
 * @param onOther is called for input in the form that is in none of its controls.
 * @param signal ends it.
 */
export function hearControls(
  form: HTMLFormElement,
  listeners: Readonly<Record<string, (event: never) => void>>,
  onOther: () => void,
  signal: AbortSignal,
): void {
  for (const place of new Set<Node>([form, rootOf(form)])) {
    for (const [type, listener] of Object.entries(listeners)) {
      const hear = (event: Event) => {
        const target = event.target as Element;
        const isWithin = member(form, "contains")(target);
        if (place !== form && isWithin) return;
        if ((controlsOf(form) as Element[]).includes(target)) listener(event as never);
        else if (type === "input" && isWithin) onOther();
      };
      member(place, "addEventListener")(type, hear, { signal });
    }
  }
}
