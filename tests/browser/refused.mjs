/**
 * What a page is told that gets no WebSocket.
 *
 * Seen in Chromium 156.0.8078.108 (Debian): the page hears the close code 1006 and nothing
 * else, also where the server chose no subprotocol though one was offered
 * (https://websockets.spec.whatwg.org/#feedback-from-the-protocol).
 */
import assert from "node:assert/strict";

/** Opens a page and has it connect; what it was told once it was told anything. */
async function told({ context, url }, address) {
  const page = await context.newPage();
  await page.goto(url);
  return page.evaluate(async (address) => {
    const client = rhtmx.connect(address, { storage: false });
    const states = [];
    client.onState((state, error) => states.push([state, error?.code]));
    const error = await new Promise((resolve) => client.onError(resolve));
    const told = {
      code: error.code,
      message: error.message,
      state: client.state,
      states: [...states],
    };
    client.close();
    return told;
  }, address);
}

export async function aPageOfAnotherOriginIsToldHowToBeAllowed(world) {
  const { origin } = new URL(world.url);
  const address = await world.ask("address of another server");
  const { code, message, state, states } = await told(world, address);
  assert.equal(code, "forbidden");
  assert.ok(
    message.endsWith(`pages from ${origin} may not connect: --origin ${origin} allows it`),
    message,
  );
  assert.equal(state, "waiting");
  assert.deepEqual(states.at(-1), ["waiting", "forbidden"]);
}

/** As behind a development server: it sends on what its pages ask for, with another `Host`. */
export async function aPageBehindAProxyIsToldHowToBeAllowed(world) {
  const url = await world.ask("address of a proxy");
  const { origin } = new URL(url);
  const { code, message } = await told({ ...world, url }, "/api/ws");
  assert.equal(code, "forbidden");
  assert.ok(
    message.endsWith(`pages from ${origin} may not connect: --origin ${origin} allows it`),
    message,
  );
}

export async function aPageWithAWrongPathIsToldSo(world) {
  const { code, message } = await told(world, "/api/wss");
  assert.equal(code, "not_supported");
  assert.match(message, /there is nothing at '\/api\/wss'/);
}

export async function aPageOfAnotherOriginWithAWrongPathIsToldTheFirstThingFirst(world) {
  const { origin } = new URL(world.url);
  const address = await world.ask("address of another server");
  const { code, message } = await told(world, address.replace("/api/ws", "/api/wss"));
  assert.equal(code, "forbidden");
  assert.ok(message.endsWith(`--origin ${origin} allows it`), message);
}

export async function aPageWhoseSubprotocolIsNotSpokenIsToldWhatIs(world) {
  const { code, message } = await told(world, "/api/sync/ws");
  assert.equal(code, "not_supported");
  assert.match(message, /takes a WebSocket, with no subprotocol.*Sec-WebSocket-Protocol/);
}

export async function aPageWhosePolicyForbidsItIsToldSo(world) {
  const address = await world.ask("address of another server");
  const { code, message, state } = await told(world, address);
  assert.equal(code, "not_supported");
  assert.match(message, /Content-Security-Policy.*connect-src/);
  assert.equal(state, "waiting");
}
