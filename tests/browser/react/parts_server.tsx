/**
 * The pages of `parts.tsx` on a server: `node parts_server.js NAME…` prints them, as JSON. The
 * scenario of the one that is streamed loads this, and pipes it into an answer.
 */

import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { renderToPipeableStream } from "react-dom/server";

import { parts, slow } from "./parts.tsx";

/** Begins to render a page; `ready` is called when all of it can be sent, or with `streamed` its shell. */
export function render(
  name: string,
  ready: () => void,
  streamed?: { readonly data: Promise<void>; readonly script: string },
) {
  if (streamed) slow.data = streamed.data;
  const Page = parts[name]!;
  const options = streamed && { onShellReady: ready, bootstrapScripts: [streamed.script] };
  return renderToPipeableStream(<Page />, options ?? { onAllReady: ready });
}

async function whole(name: string): Promise<[string, string]> {
  const output = new PassThrough();
  const stream = render(name, () => stream.pipe(output));
  return [name, await text(output)];
}

const [, , ...names] = process.argv;
if (names[0]! in parts) {
  const all = Promise.all(names.map(whole));
  void all.then((pages) => console.log(JSON.stringify(Object.fromEntries(pages))));
}
