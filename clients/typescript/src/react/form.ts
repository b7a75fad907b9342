/**
 * A form that the server checks, in React.
 *
 * Knows React and the binding of forms. Must not know the client: the binding
 * asks it. The form's values stay where they are, in its controls; what the
 * component learns is what is wrong with them.
 */
import { useCallback, useRef, useState } from "react";
import { showErrors } from "../forms/error-display.ts";
import type { BoundForm, FormOptions, FormRejection, ValidationDetail } from "../forms/index.ts";
import { bindForm } from "../forms/index.ts";
import { member } from "../forms/member.ts";

/** How to bind a form in React; see `FormOptions`. */
export type UseFormOptions = Omit<FormOptions, "client" | "name">;

/** A form of the application's schema, as `rhtmx codegen` has generated it. */
export interface SchemaForm<Field extends string> {
  /** The form's name at the server. */
  readonly name: string;
  /** What it is bound to. */
  readonly judged: (client: FormOptions["client"]) => FormOptions["client"];
  /** What its fields are called in a page: for the compiler only. */
  readonly fields?: Field | undefined;
}

/** What is wrong, by field; `""` is the form as a whole. */
export type FormErrors<Field extends string> = string extends Field
  ? Readonly<Record<string, string>>
  : { readonly [name in Field | ""]?: string };

/** A form that is bound. */
export interface FormHandle<Field extends string = string> {
  /** For the form: `<form ref={form.ref}>`. */
  readonly ref: (form: HTMLFormElement | null) => void;
  /** What is wrong, by field; `""` is the form as a whole. Valid fields are not in it. */
  readonly errors: FormErrors<Field>;
  /** Asks about a field now; see `BoundForm.check`. */
  readonly check: (field: Field) => Promise<boolean | undefined>;
  /** Asks about the whole form now; see `BoundForm.validate`. False without a form. */
  readonly validate: () => Promise<boolean>;
  /**
   * Shows why what was made of the form was rejected; see `BoundForm.reject`. In an `action`,
   * before what that returns resolves: React does not reset the form then, and all stays in it.
   */
  readonly reject: (error: FormRejection) => void;
}

const NO_ERRORS: Readonly<Record<string, string>> = {};

/**
 * A form that is checked by the server while it is filled in. `onSubmit` and
 * `action` of the form run only once all of it is valid.
 *
 * The binding shows errors by itself: in `<p data-rhtmx-error="email" />` where
 * there is one (leave it empty: the binding fills it), else beside the field.
 *
 * @param form the form's name at the server; or a form of the application's schema, whose rules
 *   are judged here: the server is asked only about what it alone knows.
 * @param options read when the form appears.
 *
 * @example
 * const form = useForm(client, "signup");
 * return (
 *   <form ref={form.ref} noValidate onSubmit={send}>
 *     <input name="email" />
 *     <p data-rhtmx-error="email" />
 *   </form>
 * );
 */
export function useForm<Field extends string = string>(
  client: FormOptions["client"],
  form: SchemaForm<Field>,
  options?: UseFormOptions,
): FormHandle<Field>;
export function useForm(
  client: FormOptions["client"],
  form: string,
  options?: UseFormOptions,
): FormHandle;
export function useForm(
  client: FormOptions["client"],
  declared: string | SchemaForm<string>,
  options: UseFormOptions = {},
): FormHandle {
  const [errors, setErrors] = useState(NO_ERRORS);
  const bound = useRef<BoundForm>(undefined);
  const stop = useRef<() => void>(undefined);
  const given = useRef(options);
  given.current = options;

  const ref = useCallback(
    (form: HTMLFormElement | null) => {
      stop.current?.();
      stop.current = bound.current = undefined;
      // They are of the form that has gone, or of another name.
      setErrors(NO_ERRORS);
      if (!form) return;
      const wrong = new Set<string>();
      const heard = (event: Event) => {
        const { detail } = event as CustomEvent<ValidationDetail>;
        wrong[detail.error ? "add" : "delete"](detail.field);
        setErrors((before) => withAnswer(before, detail));
      };
      const forget = (event: Event) => event.defaultPrevented || setErrors(NO_ERRORS);
      const ending = new AbortController();
      const listen = member(form, "addEventListener");
      const reject = keepRejected(form, ending.signal);
      const target =
        typeof declared === "string"
          ? { client, name: declared }
          : { client: declared.judged(client), name: declared.name };
      const binding = bindForm(form, { ...given.current, ...target });
      listen("rhtmx:validation", heard, ending);
      listen("reset", forget, ending);
      bound.current = { ...binding, reject: reject(binding) };
      stop.current = () => {
        binding.stop();
        ending.abort();
        const { show } = showErrors(form, () => {});
        for (const field of wrong) show(field, "", false);
      };
    },
    [client, declared],
  );
  const check = useCallback(async (field: string) => bound.current?.check(field), []);
  const validate = useCallback(async () => (await bound.current?.validate()) ?? false, []);
  const reject = useCallback((error: FormRejection) => bound.current?.reject(error), []);
  return { ref, errors, check, validate, reject };
}

/**
 * Has a form keep what is in it when React resets it after an action that was rejected,
 * https://react.dev/reference/react-dom/components/form#parameters: by any other reset, which
 * follows from something that the user does, it is emptied.
 */
function keepRejected(form: HTMLFormElement, signal: AbortSignal) {
  let isRejected = false;
  const isOver = () => (isRejected = false);
  const keep = (event: Event) => {
    if (isRejected) event.preventDefault();
    isOver();
  };
  // Before the binding hears of it, which then leaves the errors.
  member(form, "addEventListener")("reset", keep, { signal });
  for (const type of ["click", "keydown"]) {
    member(document, "addEventListener")(type, isOver, { capture: true, signal });
  }
  return ({ reject }: BoundForm) =>
    (error: FormRejection) => {
      isRejected = true;
      reject(error);
    };
}

function withAnswer(
  before: Readonly<Record<string, string>>,
  { field, error }: ValidationDetail,
): Readonly<Record<string, string>> {
  if ((Object.hasOwn(before, field) ? before[field] : "") === error) return before;
  const { [field]: _, ...others } = before;
  // A form that is wrong in its fields only has no words of its own.
  return error ? { ...others, [field]: error } : others;
}
