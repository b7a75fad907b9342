import { useCollection, useConnection } from "@rhtmx/client/react";
import { OrderForm } from "./OrderForm.tsx";
import type { Records } from "./records.ts";
import { StockList } from "./StockList.tsx";

async function signOut() {
  await fetch("/sign-out", { method: "POST" });
  location.reload();
}

/** The page of somebody who has signed in. */
export function Desk({ me, client, orders, stock }: Records) {
  const offline = useConnection(client) !== "open";
  return (
    <>
      <header>
        <h1>Order desk</h1>
        {me.name}
        <button type="button" onClick={signOut}>
          Sign out
        </button>
      </header>
      <p role="status">{offline && "There is no connection: what you do is sent later."}</p>

      <h2>Order something</h2>
      <OrderForm client={client} orders={orders} />

      <h2>Orders</h2>
      <Orders me={me} orders={orders} />

      <h2>Stock</h2>
      <StockList me={me} stock={stock} />
    </>
  );
}

/** The orders that somebody may see: their own, or as a clerk all of them. */
function Orders({ me, orders }: Pick<Records, "me" | "orders">) {
  return (
    <ul id="orders">
      {useCollection(orders).map(({ id, data, pending }) => (
        <li key={id}>
          {me.clerk && `${data.customer || me.name}: `}
          {data.count} × {data.goods} {data.packed && "(packed)"} {pending && "(waits)"}
        </li>
      ))}
    </ul>
  );
}
