// A server on `ws`: what one client sends, all others get.
import { WebSocketServer } from "ws";

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  perMessageDeflate: process.argv.includes("--deflate"),
});
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    for (const each of server.clients) {
      if (each !== socket) each.send(data, { binary: false });
    }
  });
});
server.on("listening", () => {
  process.stdout.write(`ready ws://127.0.0.1:${server.address().port}/\n`);
});
