// A page with a client, and what a scenario wants to know of it. With `?alone`
// nothing is stored, with `?binary` it speaks protobuf.
window.outcomes = {};
window.errors = [];
window.shown = []; // whether each showing of this page came out of the cache of pages
window.steals = 0; // how often this tab took the lead from one that did not answer
addEventListener("pageshow", ({ persisted }) => window.shown.push(persisted));

const { locks } = navigator;
const request = locks.request.bind(locks);
locks.request = (name, options, act) => {
  if (options.steal) window.steals += 1;
  return request(name, options, act);
};

const OPTIONS = { "?alone": { storage: false }, "?binary": { format: "proto" } };
window.client = rhtmx.connect("/api/ws", OPTIONS[location.search]);
window.tasks = client.collection("tasks");
client.onError((error) => window.errors.push(`${error.code}: ${error.message}`));
client.onState((_state, error) => error && window.errors.push(`${error.code}: ${error.message}`));
tasks.subscribe(() => {});

/** Begins a write; `outcomes` has what became of it. */
window.write = (id, data) => {
  window.outcomes[id] = "waiting";
  const tell = (what) => () => (window.outcomes[id] = what);
  tasks.set(id, data).then(tell("durable"), tell("refused"));
};
