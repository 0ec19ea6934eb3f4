import { connect } from "node:net";
import type { Probe, ServerSpec } from "../model/spec.ts";
import type { Answer } from "../supervisor/probes.ts";
import { isCode } from "../system/files.ts";
import { type Listener, listeners, listenersFor, ownedBy } from "../system/listeners.ts";
import type { Incarnation } from "./incarnation.ts";

/** Looks at one incarnation through its probes. */
export class Prober {
  readonly #incarnation: Incarnation;
  /** The socket last seen to belong to the group: while it listens, its owner need not be looked up again. */
  #owned: { socket: string; pid: number } | undefined;

  constructor(incarnation: Incarnation) {
    this.#incarnation = incarnation;
  }

  /**
   * Does something of this server's group listen where a client would connect, and does it accept a connection? Throws
   * when that cannot be seen now, which says nothing about the server.
   */
  async tcp(spec: ServerSpec, probe: Extract<Probe, { type: "tcp" }>): Promise<Answer> {
    const { port } = probe;
    const { host } = spec;
    const all = (await listeners()).get(port) ?? [];
    const sockets = listenersFor(all, host);
    if (sockets.length === 0) return { ok: false, evidence: nobodyAt(host, port, all) };
    const owner = await this.#ownerOf(sockets);
    if (owner === undefined) return { ok: false, evidence: `${at(host, port)} is held by another process` };
    const { address, refusal } = await tryConnect(host, port, probe.timeout);
    if (refusal !== undefined) return { ok: false, evidence: `${at(host, port)} ${refusal}` };
    // A name may mean several addresses, of which only one is this server's.
    if ((await this.#ownerOf(listenersFor(all, address))) === undefined)
      return { ok: false, evidence: `${at(host, port)} is answered by another process, on ${address}` };
    return { ok: true, evidence: `pid ${owner} listens on ${at(host, port)}` };
  }

  async #ownerOf(sockets: readonly Listener[]): Promise<number | undefined> {
    const known = this.#owned;
    if (known && sockets.some(({ socket }) => socket === known.socket)) return known.pid;
    const found = ownedBy(await this.#incarnation.members(), sockets);
    this.#owned = found && { socket: found.listener.socket, pid: found.pid };
    return found?.pid;
  }
}

function at(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function nobodyAt(host: string, port: number, elsewhere: readonly Listener[]): string {
  const places = [...new Set(elsewhere.map(({ address }) => at(address, port)))];
  if (places.length === 0) return `nothing listens on port ${port}`;
  return `nothing listens on ${at(host, port)}, only on ${places.join(" and ")}`;
}

/** The address that accepted a connection in time, or what came instead. */
function tryConnect(
  host: string,
  port: number,
  timeout: number,
): Promise<{ address: string; refusal?: string }> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout });
    const settle = (refusal?: string) => {
      const address = socket.remoteAddress ?? host;
      socket.destroy();
      resolve({ address, ...(refusal === undefined ? {} : { refusal }) });
    };
    socket.once("connect", () => settle());
    socket.once("timeout", () => settle(`did not accept a connection within ${timeout} ms`));
    socket.once("error", (error) =>
      settle(isCode(error, "ECONNREFUSED") ? "refuses connections" : error.message),
    );
  });
}
