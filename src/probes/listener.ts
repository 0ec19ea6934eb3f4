import { connect, isIP } from "node:net";
import type { ProbeReport } from "../model/probe-report.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { isCode } from "../system/files.ts";
import { holderText, serverOf } from "../system/holders.ts";
import {
  allOwnedBy,
  holderOf,
  isExact,
  isStillOpen,
  type Listener,
  listeners,
  listenersFor,
  type Owned,
  ownedBy,
} from "../system/listeners.ts";
import { lineageOf } from "../system/processes.ts";
import { Steps } from "./steps.ts";
import type { Subject } from "./subject.ts";

export interface Endpoint {
  /** Where the server is declared to listen. */
  readonly host: string;
  readonly port: number;
  /** Longest wait for the connection, ms. */
  readonly timeout: number;
  /** `any`: any listener counts as one of its processes. */
  readonly owner?: "own" | "any" | undefined;
}

export interface ListenerReport extends ProbeReport {
  /** The server's address that accepted the connection. Only if all is well. */
  readonly address?: string;
  /** A clause for good results: which address a name resolved to, and that it can be reached from further away than
   * declared; else empty. */
  readonly exposure?: string;
}

/** Most addresses that a message names. */
const MOST_PLACES = 5;

/** Checks who listens, for one run of a server. */
export class ListenerProbe {
  readonly #subject: Pick<Subject, "members" | "notice">;
  /** The last socket known to belong to the server: while it listens, its owner need not be looked up again. */
  #owned: Owned | undefined;

  readonly #table: typeof listeners;

  /** `table`: reads all listening sockets of the machine, which costs more the more connections there are. */
  constructor(subject: Pick<Subject, "members" | "notice">, table = listeners) {
    this.#subject = subject;
    this.#table = table;
  }

  /**
   * Does this server listen where a client would connect, and does it accept a connection? Throws if that cannot be
   * checked now, which says nothing about the server.
   */
  async look(endpoint: Endpoint): Promise<ListenerReport> {
    return (await this.#lookAgain(endpoint)) ?? this.#lookAtAll(endpoint);
  }

  /**
   * The cheap way, for nearly every look: the socket known to be the server's is still open, and is the one that answers.
   * Undefined if that is not certain: a socket for one address takes precedence over one for all addresses, so then the
   * whole table has to be read.
   */
  async #lookAgain({ host, port, timeout }: Endpoint): Promise<ListenerReport | undefined> {
    const steps = new Steps();
    const known = this.#owned;
    if (known?.listener.port !== port || !isExact(known.listener) || !isStillOpen(known)) return undefined;
    this.#subject.notice?.();
    const { address, refusal } = await tryConnect(host, port, timeout);
    if (refusal !== undefined || address !== known.listener.address) return undefined;
    const seen = passed(steps, known, { host, port, address });
    return { ...seen, ...accepted(steps, address, port, seen.evidence) };
  }

  async #lookAtAll({ host, port, timeout, owner }: Endpoint): Promise<ListenerReport> {
    const steps = new Steps();
    const all = await this.#table();
    const here = all.get(port) ?? [];
    const sockets = listenersFor(here, host);
    if (sockets.length === 0) {
      return steps.bad("listener", `${nobodyAt(host, port, here)}${await this.#elsewhere(all, port)}`);
    }
    const owned = await this.#ownerOf(sockets);
    const isWelcome = owner === "any";
    if (owned === undefined && !isWelcome)
      return steps.bad("listener", `${at(host, port)} is held by ${await this.#stranger(port, host)}`);
    const { address, refusal, tried } = await tryConnect(host, port, timeout);
    // A name may resolve to several addresses, only one of which is this server's.
    const answers = refusal === undefined ? await this.#ownerOf(listenersFor(here, address)) : owned;
    const place = { host, port, ...(refusal === undefined ? { address } : {}) };
    const mine = answers ?? (isWelcome ? undefined : owned);
    const seen = mine ? passed(steps, mine, place) : await inItsPlace(steps, place, sockets[0]);
    if (refusal !== undefined) return steps.bad("connect", `${at(host, port)} ${refusal}${tried}`);
    if (answers === undefined && !isWelcome)
      return steps.bad("connect", `${at(host, port)} is answered by another process, on ${address}`);
    return { ...seen, ...accepted(steps, address, port, seen.evidence) };
  }

  async #ownerOf(sockets: readonly Listener[]): Promise<Owned | undefined> {
    const known = this.#owned;
    if (known && sockets.some(({ socket }) => socket === known.listener.socket)) return known;
    this.#owned = ownedBy(await this.#subject.members(), sockets);
    return this.#owned;
  }

  /** Who holds the port instead, and what to do if that is intended. */
  async #stranger(port: number, host: string): Promise<string> {
    const found = await holderOf(port, host).catch(() => undefined);
    if (found === undefined || found.pid === 0) return `${found?.name ?? "another process"}${MAY_BE_RIGHT}`;
    const line = lineageOf(found.pid);
    const members = new Set(await this.#subject.members());
    if (line.some((pid) => members.has(pid)))
      return `its own child, in another session: pid ${found.pid} (${found.name})${MAY_BE_RIGHT}`;
    return serverOf(found.pid) === undefined
      ? `another process: ${holderText(found)}${MAY_BE_RIGHT}`
      : holderText(found);
  }

  /** A server that finds its port taken may silently use the next one. */
  async #elsewhere(all: ReadonlyMap<number, readonly Listener[]>, port: number): Promise<string> {
    const others = [...all].flatMap(([number, sockets]) => (number === port ? [] : sockets));
    const found = allOwnedBy(await this.#subject.members(), others);
    const places = found.sort((a, b) => a.port - b.port);
    const told = new Set(places.map((place) => at(place.address, place.port)));
    return told.size === 0 ? "" : `; it listens on ${[...told].slice(0, MOST_PLACES).join(" and ")} instead`;
  }
}

interface Place {
  readonly host: string;
  readonly port: number;
  /** The address that accepted the connection. */
  readonly address?: string;
}

/** The first step: who listens. */
function passed(steps: Steps, { pid, listener }: Owned, place: Place) {
  return listens(steps, `pid ${pid} listens`, place, listener);
}

function listens(steps: Steps, who: string, { host, port, address }: Place, listener: Listener | undefined) {
  const exposure = listener ? exposureOf(host, listener) : "";
  const dialled = address === undefined || isIP(host) !== 0 ? undefined : address;
  const evidence = `${who} on ${at(host, port)}${dialled === undefined ? "" : ` (${dialled})`}${exposure}`;
  steps.passed("listener", evidence);
  return {
    evidence,
    exposure: `${dialled === undefined ? "" : `; asked at ${at(dialled, port)}`}${exposure}`,
  };
}

/** The same if anybody may listen: results that build on this one say so, too. */
async function inItsPlace(steps: Steps, place: Place, listener: Listener | undefined) {
  const found = await holderOf(place.port, place.host).catch(() => undefined);
  const who = `${found === undefined ? "another process" : holderText(found)} listens in its place (owner "any")`;
  const seen = listens(steps, who, place, listener);
  return { ...seen, exposure: `; ${who}${seen.exposure}` };
}

const MAY_BE_RIGHT =
  '; if it listens in place of this server, as with `docker run -p`, write `owner "any"` in its check';

/** The second step: it answers. */
function accepted(steps: Steps, address: string, port: number, evidence: string): ListenerReport {
  return { ...steps.good("connect", `${at(address, port)} accepts a connection`), evidence, address };
}

/** `host:port`, with the brackets that an IPv6 address needs. */
export function at(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function nobodyAt(host: string, port: number, elsewhere: readonly Listener[]): string {
  const places = [...new Set(elsewhere.map(({ address }) => at(address, port)))];
  if (places.length === 0) return `nothing listens on port ${port}`;
  return `nothing listens on ${at(host, port)}, only on ${places.join(" and ")}`;
}

const LOOPBACK = /^(localhost|::1|127\.[\d.]+)$/i;
const ALL_INTERFACES = ["0.0.0.0", "::"];

/** A warning if a server is declared for this machine only, but can be reached from the network. */
function exposureOf(host: string, { address }: Listener): string {
  if (!LOOPBACK.test(host) || !ALL_INTERFACES.includes(address)) return "";
  return `; it listens on all interfaces (${address}), not only on ${host} as declared`;
}

interface Connection {
  /** The address that accepted it. */
  readonly address: string;
  /** What happened instead. */
  readonly refusal?: string;
  /** The addresses that a name resolves to, to append to a refusal; else empty. */
  readonly tried: string;
}

/** The address that accepted a connection in time, or what happened instead. Each address of a name is tried, as clients do. */
function tryConnect(host: string, port: number, timeout: number): Promise<Connection> {
  return new Promise((resolve) => {
    const tried = new Set<string>();
    const socket = connect({ host, port, timeout, autoSelectFamily: true });
    const settle = (refusal?: string) => {
      const address = socket.remoteAddress ?? host;
      socket.destroy();
      const names = isIP(host) === 0 && tried.size > 0 ? ` (${[...tried].join(" and ")})` : "";
      resolve({ address, tried: names, ...withoutUndefined({ refusal }) });
    };
    socket.on("connectionAttempt", (address: string) => tried.add(address));
    socket.once("connect", () => settle());
    socket.once("timeout", () => settle(`did not accept a connection within ${timeout} ms`));
    socket.once("error", (error) =>
      settle(isCode(error, "ECONNREFUSED") ? "refuses connections" : error.message),
    );
  });
}
