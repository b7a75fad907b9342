import { inc } from "@rhtmx/client";
import { useForm } from "@rhtmx/client/react";
import type { SubmitEvent } from "react";
import { useState } from "react";
import { type LoaderFunctionArgs, redirect, useLoaderData } from "react-router";
import { open, type Records, type Rendered, useRecords, useScript } from "./records.ts";
import { NewOrder } from "./schema/index.js";

const GOODS = ["rice", "salt", "tea"];

/** Runs on the server: asks the desk for what whoever asks may see. */
export async function loader({ request }: LoaderFunctionArgs) {
  const cookie = request.headers.get("cookie") ?? "";
  const address = new URL("/api/records", process.env.DESK ?? "http://127.0.0.1:8000");
  const answer = await fetch(address, { headers: { cookie } });
  if (answer.status === 401) throw redirect("/sign-in");
  return (await answer.json()) as Rendered;
}

/** The page of somebody who has signed in. */
export default function Desk() {
  const rendered = useLoaderData<typeof loader>();
  const [records] = useState(() => open(rendered.me));
  return (
    <>
      <header>
        <h1>Order desk</h1>
        {rendered.me.name}
        <form method="post" action="/api/sign-out">
          <button type="submit">Sign out</button>
        </form>
      </header>

      <h2>Order something</h2>
      <OrderForm {...records} />

      <h2>Orders</h2>
      <Orders rendered={rendered} orders={records.orders} />

      <h2>Stock</h2>
      <StockList rendered={rendered} stock={records.stock} />
    </>
  );
}

/** A form whose rules are those of the schema, and run in the browser. */
function OrderForm({ client, orders }: Pick<Records, "client" | "orders">) {
  const form = useForm(client, NewOrder);
  const runs = useScript();

  /** Is called once all of it is valid. */
  function order(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const entered = new FormData(event.currentTarget);
    orders
      .create({ goods: String(entered.get("goods")), count: Number(entered.get("count")) })
      .catch(form.reject);
    event.currentTarget.reset();
  }

  return (
    <form ref={form.ref} noValidate onSubmit={order}>
      <label>
        Goods{" "}
        <select name="goods">
          {GOODS.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <label>
        Count <input name="count" inputMode="numeric" size={4} />
      </label>
      <button type="submit" disabled={!runs}>
        Order
      </button>
      <span data-rhtmx-error="count" />
    </form>
  );
}

/** The orders that somebody may see: their own, or as a clerk all of them. */
function Orders({ rendered, orders }: { rendered: Rendered } & Pick<Records, "orders">) {
  const { me } = rendered;
  return (
    <ul id="orders">
      {useRecords(orders, rendered.orders).map(({ id, data, pending }) => (
        <li key={id}>
          {me.clerk && `${data.customer || me.name}: `}
          {data.count} × {data.goods} {data.packed && "(packed)"} {pending && "(waits)"}
        </li>
      ))}
    </ul>
  );
}

/** How much there is of all goods. Clerks count it together. */
function StockList({ rendered, stock }: { rendered: Rendered } & Pick<Records, "stock">) {
  const [problem, setProblem] = useState("");
  const runs = useScript();
  const rows = useRecords(stock, rendered.stock);
  const counted = new Map(rows.map(({ id, data }) => [id, data.counted]));

  function count(goods: string, by: number) {
    setProblem("");
    stock.edit(goods, { counted: inc(by) }).catch((error: Error) => setProblem(error.message));
  }

  return (
    <>
      <ul id="stock">
        {GOODS.map((goods) => (
          <li key={goods}>
            {goods}: <output>{counted.get(goods) ?? 0}</output>{" "}
            {rendered.me.clerk && (
              <>
                <button
                  type="button"
                  disabled={!runs}
                  aria-label={`one more ${goods}`}
                  onClick={() => count(goods, 1)}
                >
                  +1
                </button>{" "}
                <button
                  type="button"
                  disabled={!runs}
                  aria-label={`one less ${goods}`}
                  onClick={() => count(goods, -1)}
                >
                  −1
                </button>
              </>
            )}
          </li>
        ))}
      </ul>
      <p role="alert">{problem}</p>
    </>
  );
}
