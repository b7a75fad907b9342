/** What the page reads and writes; it is kept in the browser, too, and works offline. */
import { connect } from "@rhtmx/client";
import { Order, Stock } from "./schema/index.js";

/** Somebody who has signed in. */
export interface Me {
  readonly name: string;
  readonly clerk: boolean;
}

/** What a desk works with. */
export type Records = ReturnType<typeof open>;

/** Opens what somebody may see. Each user of a browser has a database of their own. */
export function open(me: Me) {
  const client = connect("/live/api/ws", { storage: `order desk of ${me.name}` });
  return { me, client, orders: client.of(Order), stock: client.of(Stock) };
}
