/**
 * A page with a part that is hydrated later than what is around it: its code comes when
 * the test says so (`arrive()`), or its HTML does.
 *
 * What is around it looks at live data in one of the ways that there are; the part does, too.
 */

import { connect } from "@rhtmx/client";
import {
  useCollection,
  useConnection,
  useField,
  useForm,
  usePresence,
  useRecord,
} from "@rhtmx/client/react";
import type { ElementType, ReactNode } from "react";
import { lazy, Suspense, useEffect, useState } from "react";

import { type Booking, BookingPage } from "./booking.tsx";

interface Task {
  title: string;
}

const isServer = typeof window === "undefined";
export const client = connect("/api/ws", { storage: false });
export const tasks = client.collection<Task>("tasks");
const bookings = client.collection<Booking>("bookings");

let arrive!: () => void;
const arrived = new Promise<void>((resolve) => (arrive = resolve));
if (isServer) arrive();
else Object.assign(window, { arrive, client, tasks });

/** What a server waits for before it renders the part. */
export const slow: { data: Promise<void> } = { data: arrived };

function Inside() {
  const from = isServer ? "server" : "client";
  return (
    <p id="part" data-from={from} suppressHydrationWarning>
      {useCollection(tasks).length} inside
    </p>
  );
}
const after = (wait: () => Promise<void>) => lazy(() => wait().then(() => ({ default: Inside })));
const Lazy = isServer ? Inside : after(() => arrived);
const Streamed = isServer ? after(() => slow.data) : Inside;

function Around({ shows, part: Part }: { shows: unknown; part: ElementType }) {
  return (
    <main>
      <b id="around">{String(shows)}</b>
      <Suspense fallback={<p id="fallback">wait</p>}>
        <Part />
      </Suspense>
    </main>
  );
}

const all = () => true;
function Title() {
  const title = useField(tasks, "1", "title");
  return (
    <>
      <input
        id="title"
        value={title.value ?? ""}
        onChange={({ target }) => title.set(target.value)}
      />
      <Around shows={title.value ?? "nothing"} part={Lazy} />
    </>
  );
}

function Terms() {
  const form = useForm(client, "terms");
  const [agreed, setAgreed] = useState(false);
  const [sent, setSent] = useState(0);
  return (
    <form ref={form.ref} noValidate action={() => setSent((count) => count + 1)}>
      <input
        type="checkbox"
        name="agreed"
        checked={agreed}
        onChange={({ target }) => setAgreed(target.checked)}
      />
      <p data-rhtmx-error="agreed" />
      <output>{`agreed: ${agreed}, sent: ${sent}`}</output>
      <button type="submit">Send</button>
    </form>
  );
}

/** Who is at a task; the address says as whom this page is there. */
function Present() {
  const [name, setName] = useState<string>();
  useEffect(() => setName(location.search.slice(1)), []);
  const members = usePresence(client, "tasks/1", name);
  return (
    <ul>
      {members.map(({ id, state }) => (
        <li key={id}>{state}</li>
      ))}
      <button type="button" onClick={() => setName(`${name}, typing`)}>
        Type
      </button>
    </ul>
  );
}

/** The pages, by name. */
export const parts: Record<string, () => ReactNode> = {
  collection: () => <Around shows={useCollection(tasks).length} part={Lazy} />,
  where: () => <Around shows={useCollection(tasks, all).length} part={Lazy} />,
  record: () => <Around shows={useRecord(tasks, "1")?.data.title ?? "nothing"} part={Lazy} />,
  connection: () => <Around shows={useConnection(client)} part={Lazy} />,
  field: () => <Title />,
  terms: () => <Terms />,
  presence: () => <Present />,
  booking: () => <BookingPage client={client} bookings={bookings} how="onSubmit" />,
  "booking-action": () => <BookingPage client={client} bookings={bookings} how="action" />,
  streamed: () => <Around shows={useCollection(tasks).length} part={Streamed} />,
};
