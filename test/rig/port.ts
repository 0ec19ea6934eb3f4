import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** What the one who listens on the port says first. Throws when nobody listens. */
export async function greetingOf(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    const [chunk] = await once(socket, "data");
    return String(chunk);
  } finally {
    socket.destroy();
  }
}
