import { inc } from "@rhtmx/client";
import { useCollection } from "@rhtmx/client/react";
import { useState } from "react";
import { GOODS } from "./OrderForm.tsx";
import type { Records } from "./records.ts";

/** How much there is of all goods. Clerks count it together. */
export function StockList({ me, stock }: Pick<Records, "me" | "stock">) {
  const [problem, setProblem] = useState("");
  const counted = new Map(useCollection(stock).map((row) => [row.id, row]));

  function count(goods: string, by: number) {
    setProblem("");
    stock.edit(goods, { counted: inc(by) }).catch((error: Error) => setProblem(error.message));
  }

  return (
    <>
      <ul id="stock">
        {GOODS.map((goods) => (
          <li key={goods}>
            {goods}: <output>{counted.get(goods)?.data.counted ?? 0}</output>{" "}
            {me.clerk && (
              <>
                <button
                  type="button"
                  aria-label={`one more ${goods}`}
                  onClick={() => count(goods, 1)}
                >
                  +1
                </button>{" "}
                <button
                  type="button"
                  aria-label={`one less ${goods}`}
                  onClick={() => count(goods, -1)}
                >
                  −1
                </button>
              </>
            )}{" "}
            {counted.get(goods)?.pending && "(waits)"}
          </li>
        ))}
      </ul>
      <p role="alert">{problem}</p>
    </>
  );
}
