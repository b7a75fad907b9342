/** The same page on a server: `node server.js string`, or `stream`, prints it. */
import { renderToPipeableStream, renderToString } from "react-dom/server";

import { App } from "./App.tsx";

if (process.argv[2] === "string") process.stdout.write(renderToString(<App />));
else {
  const stream = renderToPipeableStream(<App />, { onAllReady: () => stream.pipe(process.stdout) });
}
