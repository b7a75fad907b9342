/** What the page shows: as the server has rendered it, and then live. */
import type { Collection, Row } from "@rhtmx/client";
import { connect } from "@rhtmx/client";
import { useCollection } from "@rhtmx/client/react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { Order, Stock } from "./schema/index.js";

/** What the desk says of whoever asks for the page. */
export interface Rendered {
  readonly me: { readonly name: string; readonly clerk: boolean };
  readonly orders: readonly Kept<Order>[];
  readonly stock: readonly Kept<Stock>[];
}

/** A record, as much as a page needs of it. */
export type Kept<T> = Pick<Row<T>, "id" | "data"> & { readonly pending?: boolean };

/** What the components of a page work with. */
export type Records = ReturnType<typeof open>;

/** Opens what somebody may see. On a server it is closed, and connects to nothing. */
export function open({ name }: Rendered["me"]) {
  const client = connect("/live/api/ws", { storage: `order desk of ${name}` });
  return { client, orders: client.of(Order), stock: client.of(Stock) };
}

/** The records of a collection: those that were rendered, until all of the live ones are there. */
export function useRecords<T>(
  collection: Collection<T>,
  rendered: readonly Kept<T>[],
): readonly Kept<T>[] {
  const live = useCollection(collection);
  const [synced, setSynced] = useState(false);
  useEffect(() => {
    collection.synced.then(() => setSynced(true), console.warn);
  }, [collection]);
  return synced ? live : rendered;
}

const never = () => () => {};

/** Whether the script of the page runs. Before it does, a button would do nothing. */
export function useScript(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
