import { useForm } from "@rhtmx/client/react";
import type { SubmitEvent } from "react";
import type { Records } from "./records.ts";
import { NewOrder } from "./schema/index.js";

export const GOODS = ["rice", "salt", "tea"];

/** A form whose rules are those of the schema, and run in the browser. */
export function OrderForm({ client, orders }: Pick<Records, "client" | "orders">) {
  const form = useForm(client, NewOrder);

  /** Is called once all of it is valid. Nobody waits for the server, which may be away. */
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
      <button type="submit">Order</button>
      <span data-rhtmx-error="count" />
    </form>
  );
}
