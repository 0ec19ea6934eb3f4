import { once } from "node:events";
import { get } from "node:http";
import { connect } from "node:net";

/** The checks that people use where they have nothing better. */

/** Somebody accepts a connection. */
export async function bareTcp(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1", timeout: 2000 });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Longer than a server that is well takes on a busy machine, ms. */
const NO_ANSWER = 10_000;

/** Somebody answers with 200: `up`, or `down` and why. */
export async function bareHttp(port: number, path: string): Promise<string> {
  const request = get({ port, host: "127.0.0.1", path, timeout: NO_ANSWER, agent: false });
  request.once("timeout", () => request.destroy(new Error("no answer")));
  try {
    const [response] = await once(request, "response");
    response.destroy();
    return response.statusCode === 200 ? "up" : `down: ${response.statusCode}`;
  } catch (error) {
    return `down: ${error instanceof Error && "code" in error ? error.code : "no answer"}`;
  } finally {
    request.destroy();
  }
}
