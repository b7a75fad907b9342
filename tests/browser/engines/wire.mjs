/** What arrives from a server: a handshake that is not as it should be, and times. */
import assert from "node:assert/strict";

export async function aServerThatChoosesNoSubprotocolIsSaidToBeWrong({ open, ask, engine }) {
  await ask("choose no subprotocol");
  const tab = await open("/client?binary");
  const [error] = await tab.waitFor(() => errors.length > 0 && errors);
  assert.notEqual(await tab.evaluate(() => client.state), "open");
  // Chromium ends such a connection itself and tells the page no reason.
  assert.match(error, engine === "chromium" ? /no connection to/ : /does not speak rhtmx.v1.proto/);
}

export async function withoutASubprotocolItIsJson({ open, ask, engine }) {
  await ask("choose no subprotocol");
  const tab = await open("/client");
  if (engine === "chromium") await tab.waitFor(() => errors.length > 0);
  else await tab.waitFor(() => client.state === "open");
}

export async function aTimeIsReadAlikeEverywhere({ open }) {
  const tab = await open("/time");
  const none = null;
  const wanted = {
    "2026-06-30T12:34:56Z": "2026-06-30T12:34:56Z",
    "2026-06-30T12:34:56.123999999Z": "2026-06-30T12:34:56.123999Z",
    "2026-12-31T23:59:59.999999999Z": "2026-12-31T23:59:59.999999Z",
    "1969-12-31T23:59:59.9999Z": "1969-12-31T23:59:59.999900Z",
    "2026-06-30T00:30:00+01:00": "2026-06-29T23:30:00Z",
    "2024-02-29T00:00:00Z": "2024-02-29T00:00:00Z",
    "2026-02-29T00:00:00Z": none,
    "2026-02-30T00:00:00Z": none,
    "2026-06-31T12:00:00+02:00": none,
    "2026-06-30T12:34:60Z": none,
    "2026-06-30T23:59:60Z": none,
    "2026-06-30T12:34:60+01:00": none,
    "2026-06-30T24:00:00Z": none,
    "2026-06-30t12:34:56z": none,
    "2026-06-30 12:34:56Z": none,
  };
  const times = Object.keys(wanted);
  const read = await tab.evaluate((times) => times.map((each) => parseTime(each) ?? null), times);
  assert.deepEqual(Object.fromEntries(times.map((each, at) => [each, read[at]])), wanted);
}
