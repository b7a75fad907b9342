/** The front: pages are rendered here, and all that is live or kept is passed on to the desk. */
import { createRequestHandler } from "@react-router/express";
import express from "express";
import { createProxyMiddleware } from "http-proxy-middleware";

const passedOn = createProxyMiddleware({
  target: process.env.DESK ?? "http://127.0.0.1:8000",
  pathFilter: ["/api", "/live"],
  ws: true,
});

const app = express();
app.use(passedOn);
app.use(express.static("build/client"));
app.use(createRequestHandler({ build: await import("./build/server/index.js") }));

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.error(`running on http://127.0.0.1:${server.address().port}`);
});
server.on("upgrade", passedOn.upgrade);
