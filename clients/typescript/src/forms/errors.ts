/**
 * Where an error is shown, and how a screen reader finds it.
 *
 * Knows elements and ARIA. Must not know why something is an error.
 *
 * `setCustomValidity` is left alone on purpose: with it the browser would keep the
 * submit event from happening until the same control was edited, so that an
 * error that another field has cured could never be asked about again.
 */
import { controlsOf } from "./values.ts";

let made = 0;

/**
 * Shows an error of a field, or with an empty one that there is none. As text,
 * whatever is in it.
 *
 * The place is the page's own, `data-rhtmx-error="field"` or the id `field-error`,
 * else one that is made beside the control. An empty name means the form as a
 * whole.
 *
 * @param error if left out, the place is only made ready: screen readers announce
 * changes of what is there already.
 */
export function showError(form: HTMLFormElement, field: string, error?: string): void {
  const controls = controlsOf(form, field);
  const name = CSS.escape(field);
  let place = form.querySelector(`[data-rhtmx-error="${name}"],[id="${name}-error"]`);
  if (!place) {
    if (error === "") return;
    place = document.createElement("span");
    place.setAttribute("data-rhtmx-error", field);
    const control = controls.at(-1);
    // Within a label it would become part of the control's name.
    if (control) (control.closest("label") ?? control).after(place);
    else form.append(place);
  }
  place.id ||= `rhtmx-error-${++made}`;
  place.ariaLive ||= "polite";
  for (const control of controls) {
    const ids = control.getAttribute("aria-describedby") ?? "";
    if (!ids.split(" ").includes(place.id)) {
      control.setAttribute("aria-describedby", `${ids} ${place.id}`.trim());
    }
  }
  // To write the same again would announce it again.
  if (place.textContent !== (error ??= place.textContent)) place.textContent = error;
}
