// A server on `ws` that sends back what it gets, and does nothing else.
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("message", (data) => socket.send(data, { binary: false }));
  socket.on("error", () => {}); // it is closed after that
});
server.on("listening", () => {
  process.stdout.write(`ready ws://127.0.0.1:${server.address().port}/\n`);
});
