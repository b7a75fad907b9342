/**
 * Where an error is shown, how a screen reader finds it, and that it goes with its field.
 *
 * Knows elements and ARIA. Must not know why something is an error.
 *
 * `setCustomValidity` is left alone on purpose: with it the browser would keep the
 * submit event from happening until the same control was edited, so that an
 * error that another field has cured could never be asked about again.
 */
import { member } from "./member.ts";
import type { Control } from "./types.ts";
import { controlsOf, isLive } from "./values.ts";

/** What may take a control away from its form, or make another field of it. */
const WATCHED = {
  attributeFilter: ["disabled", "form", "id", "name"],
  childList: true,
  subtree: true,
};

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
 * @returns the place, if there is one.
 */
export function showError(
  form: HTMLFormElement,
  field: string,
  error?: string,
): HTMLElement | undefined {
  const controls = controlsOf(form, field);
  let place = placeOf(form, field, controls);
  if (!place) {
    if (error === "") return;
    place = member(document, "createElement")("span");
    place.setAttribute("data-rhtmx-error", field);
    const control = controls.at(-1);
    // Within a label it would become part of the control's name.
    if (control) (control.closest("label") ?? control).after(place);
    else member(form, "append")(place);
  }
  place.id ||= `rhtmx-error-${++made}`;
  place.ariaLive ||= "polite";
  for (const control of controls) {
    const ids = describing(control);
    if (!ids.includes(place.id)) {
      control.setAttribute("aria-describedby", [...ids, place.id].join(" "));
    }
  }
  // To write the same again would announce it again.
  if (place.textContent !== (error ??= place.textContent)) place.textContent = error;
  return place;
}

/**
 * The place for a field's errors: in the form; for a control that stands elsewhere
 * (`form="id"`) also one that describes it, or one that is in no form.
 */
function placeOf(
  form: HTMLFormElement,
  field: string,
  controls: readonly Control[],
): HTMLElement | null | undefined {
  const name = CSS.escape(field);
  const selector = `[data-rhtmx-error="${name}"],[id="${name}-error"]`;
  const within = member(form, "contains");
  const place = member(form, "querySelector")<HTMLElement>(selector);
  if (place || controls.every(within)) return place;
  const places = [...member(rootOf(form), "querySelectorAll")<HTMLElement>(selector)];
  const ids = controls.flatMap(describing);
  return (
    places.find((each) => ids.includes(each.id)) ?? places.find((each) => !each.closest("form"))
  );
}

function describing(control: Element): string[] {
  return control.getAttribute("aria-describedby")?.match(/\S+/g) ?? [];
}

/** The document, or what else is at the top of the tree that a form is in. */
export function rootOf(form: HTMLFormElement): ParentNode & DocumentOrShadowRoot & Node {
  return member(form, "getRootNode")() as Document;
}

/** Goes to the first that takes the focus: not what is hidden before its box, nor a frame of the same name. */
export function focusFirst(form: HTMLFormElement, controls: readonly Control[]): void {
  controls.some((each) => {
    each.focus();
    return member(rootOf(form), "activeElement") === each;
  });
}

/** The errors of a form's fields. */
export interface Errors {
  /**
   * Shows an error of a field, or with an empty one that there is none.
   *
   * @param isGood whether the field holds a value that was found valid.
   */
  show(field: string, error: string, isGood: boolean): void;
  /** Leaves what is shown as it is. */
  stop(): void;
}

/** An error that is shown, where, and of which controls. */
interface Shown {
  readonly place: HTMLElement;
  readonly controls: Control[];
  readonly error: string;
}

/**
 * Shows a form's errors, and takes one back when its field goes: when its controls
 * are removed, disabled, renamed or exchanged for others.
 *
 * @param onGone is told which field's error was taken back; or of which one some of
 * the controls went, so that its error may be another one now.
 */
export function showErrors(
  form: HTMLFormElement,
  onGone: (field: string, isLeft: boolean) => void,
): Errors {
  const shown = new Map<string, Shown>();
  const lookAt = (field: string, { place, controls, error }: Shown) => {
    const present = controlsOf(form, field).filter(isLive);
    const left = controls.filter((each) => present.includes(each));
    if (left.length === controls.length) return;
    for (const each of controls) if (!left.includes(each)) each.ariaInvalid = null;
    if (left.length) shown.set(field, { place, controls: left, error });
    else {
      shown.delete(field);
      // Not what the page has put there meanwhile.
      if (place.textContent === error) place.textContent = "";
    }
    onGone(field, left.length > 0);
  };
  const look = () => {
    for (const each of shown) lookAt(...each);
    if (shown.size === 0) observer.disconnect();
  };
  // Only while there is something to take back: every change of the page is one more call.
  const observer = new MutationObserver(look);
  return {
    show(field, error, isGood) {
      const place = showError(form, field, error);
      const controls = controlsOf(form, field);
      for (const each of controls) each.ariaInvalid = error ? "true" : isGood ? "false" : null;
      shown.delete(field);
      if (!place || !error || !controls.length) return;
      shown.set(field, { place, controls, error });
      observer.observe(rootOf(form), WATCHED);
    },
    stop: () => observer.disconnect(),
  };
}
