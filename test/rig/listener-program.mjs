/** Listens on the port given as argument, greets with its pid, and cannot be ended with SIGTERM. */
import { createServer } from "node:net";

process.on("SIGTERM", () => {});
const server = createServer((socket) => {
  // Whoever only wanted to know that it listens resets the connection.
  socket.on("error", () => {});
  socket.end(`pid ${process.pid}`);
});
server.on("error", (error) => {
  console.error(`cannot listen: ${error.message}`);
  process.exit(4);
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("listens"));
