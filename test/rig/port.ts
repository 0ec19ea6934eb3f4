import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { text } from "node:stream/consumers";

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** What the one who listens on the port says, to its end. Throws when nobody listens, or says nothing. */
export async function greetingOf(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  // A listener that is killed between the connection and its greeting ends the connection without a word.
  const heard = await text(socket);
  if (heard === "") throw new Error(`port ${port} says nothing`);
  return heard;
}
