/**
 * A record that a check of the server may refuse: a form writes the whole of it, and controls
 * its fields one by one.
 */

import type { Client, Collection } from "@rhtmx/client";
import { useField, useForm } from "@rhtmx/client/react";

export interface Booking {
  start: number;
  end: number;
}

interface Place {
  readonly client: Client;
  readonly bookings: Collection<Booking>;
}

function Fields({ bookings }: Pick<Place, "bookings">) {
  const [start, end] = [useField(bookings, "1", "start"), useField(bookings, "1", "end")];
  return (
    <>
      <input
        id="start"
        value={start.value ?? ""}
        onChange={({ target }) => start.set(Number(target.value))}
      />
      <output id="said">
        {[start, end].map(({ violation: each }) => `${each?.code ?? ""} ${each?.message ?? ""};`)}
      </output>
      <output id="error">{start.error?.code}</output>
    </>
  );
}

/** @param how the form is sent: by a listener, or by an action of React 19, which resets it. */
export function BookingPage({ client, bookings, how }: Place & { how: "onSubmit" | "action" }) {
  const form = useForm(client, "booking");
  const book = (data: FormData) => {
    const [start, end] = ["start", "end"].map((name) => Number(data.get(name))) as [number, number];
    return bookings.set("1", { start, end }).then(() => {}, form.reject);
  };
  const sent =
    how === "action"
      ? { action: book }
      : {
          onSubmit(event: { preventDefault(): void; currentTarget: HTMLFormElement }) {
            event.preventDefault();
            void book(new FormData(event.currentTarget));
          },
        };
  return (
    <>
      <form ref={form.ref} noValidate {...sent}>
        <input name="start" />
        <input name="end" />
        <p data-rhtmx-error="end" />
        <output id="errors">{JSON.stringify(form.errors)}</output>
        <button type="submit">Book</button>
      </form>
      <Fields bookings={bookings} />
    </>
  );
}
