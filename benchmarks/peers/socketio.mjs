// A Socket.IO server: what one client emits, all others get.
import { createServer } from "node:http";

import { Server } from "socket.io";

const http = createServer();
const server = new Server(http, {
  transports: ["websocket"],
  pingInterval: 3_600_000,
  pingTimeout: 3_600_000,
  perMessageDeflate: false,
});
server.on("connection", (socket) => {
  socket.on("change", (change) => {
    socket.broadcast.emit("change", change);
  });
});
http.listen(0, "127.0.0.1", () => {
  process.stdout.write(`ready ws://127.0.0.1:${http.address().port}/\n`);
});
