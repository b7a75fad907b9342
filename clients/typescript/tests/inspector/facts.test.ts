import { expect, it } from "vitest";
import type { Facts } from "../../inspector/facts.ts";
import { factsInWords } from "../../inspector/facts.ts";

const NOTHING: Facts = {
  state: "offline",
  clientId: "",
  positions: { tasks: undefined },
  records: 0,
  stored: false,
  leads: false,
  bytes: undefined,
};

it("says what is not known yet", () => {
  expect(factsInWords(NOTHING)).toEqual({
    connection: "offline",
    client: "none yet",
    epoch: "none yet",
    positions: "none yet",
    tab: "follows: another tab has the connection",
    stored: "0 records in this tab",
  });
});

it("says to which of several servers it is connected, while it is", () => {
  const facts = { ...NOTHING, node: "b" };
  expect(factsInWords(facts)).toMatchObject({ connection: "offline" });
  expect(factsInWords({ ...facts, state: "open" })).toMatchObject({
    connection: "open, to the node b",
  });
});

it("says where each entity is", () => {
  const facts = { ...NOTHING, epoch: "e", positions: { tasks: 7, members: 0 } };
  expect(factsInWords(facts)).toMatchObject({ epoch: "e", positions: "members 0, tasks 7" });
});

it("says which tab has the connection, and how much is stored", () => {
  const facts = { ...NOTHING, clientId: "c", leads: true, records: 1, bytes: 20_480 };
  expect(factsInWords(facts)).toMatchObject({
    client: "c",
    tab: "leads: it has the connection",
    stored: "1 record in this tab, 20 kB in this browser",
  });
});
