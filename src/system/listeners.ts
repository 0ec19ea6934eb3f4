import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isIPv4, isIPv6, SocketAddress } from "node:net";
import { promisify } from "node:util";
import { withoutUndefined } from "../model/without-undefined.ts";
import { ASKING } from "./process-rows.ts";
import { processName } from "./processes.ts";

/** Who listens on which TCP port. Linux is read from /proc/net; elsewhere `lsof` is asked. */

export interface Listener {
  readonly port: number;
  /** In its short form: `127.0.0.1`, `0.0.0.0`, `::1`, `::`, … An IPv4-mapped IPv6 address is the IPv4 address. */
  readonly address: string;
  /** Identifies the socket for its whole life: an inode on Linux, `pid` elsewhere. */
  readonly socket: string;
}

export interface Holder {
  readonly pid: number;
  readonly name: string;
}

const isLinux = process.platform === "linux";

/** All listening TCP sockets, by port. One read serves all callers of the same turn. */
export function listeners(): Promise<ReadonlyMap<number, readonly Listener[]>> {
  pendingRead ??= new Promise((resolve, reject) => {
    setImmediate(() => {
      pendingRead = undefined;
      readListeners().then(resolve, reject);
    });
  });
  return pendingRead;
}
let pendingRead: Promise<ReadonlyMap<number, readonly Listener[]>> | undefined;

async function readListeners(): Promise<ReadonlyMap<number, readonly Listener[]>> {
  const all = isLinux ? ["tcp", "tcp6"].flatMap(readProcNet) : await askLsof();
  const byPort = new Map<number, Listener[]>();
  for (const listener of all) byPort.set(listener.port, [...(byPort.get(listener.port) ?? []), listener]);
  return byPort;
}

function readProcNet(table: string): Listener[] {
  try {
    return parseProcNet(readFileSync(`/proc/net/${table}`, "latin1"));
  } catch {
    // IPv6 may be switched off.
    return [];
  }
}

const LISTEN = "0A";

/** Reads the listening rows of /proc/net/tcp or tcp6. A busy machine has thousands of others, and this is read at each look. */
export function parseProcNet(text: string): Listener[] {
  return text
    .split("\n")
    .filter((row) => row.includes(` ${LISTEN} `))
    .flatMap((row) => {
      const [, local = "", , state, , , , , , inode = ""] = row.trim().split(/\s+/);
      if (state !== LISTEN) return [];
      const [hex = "", port = ""] = local.split(":");
      const address = hexAddress(hex);
      return address === undefined ? [] : [{ port: Number.parseInt(port, 16), address, socket: inode }];
    });
}

/** Addresses are 32-bit words in host order (little endian on all that Node runs on). */
function hexAddress(hex: string): string | undefined {
  const bytes = Buffer.from(hex, "hex");
  if (bytes.length !== 4 && bytes.length !== 16) return undefined;
  for (let i = 0; i < bytes.length; i += 4) bytes.subarray(i, i + 4).reverse();
  if (bytes.length === 4) return bytes.join(".");
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  return shortForm(words.join(":"));
}

/** One spelling for each address: `0:0:0:0:0:0:0:1` is `::1`, and `::ffff:127.0.0.1` is `127.0.0.1`; undefined for none. */
function shortForm(address: string): string | undefined {
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const short = new SocketAddress({ address, family: "ipv6" }).address;
  return /^::ffff:([\d.]+)$/.exec(short)?.[1] ?? short;
}

const LSOF = "/usr/sbin/lsof";

async function askLsof(): Promise<Listener[]> {
  const asked = promisify(execFile)(LSOF, ["-nPw", "-iTCP", "-sTCP:LISTEN", "-Fptn"], ASKING);
  return parseLsof(
    await asked.then(
      ({ stdout }) => stdout,
      (failure: LsofFailure) => outputOf(failure),
    ),
  );
}

interface LsofFailure {
  /** Not a number if it was killed or never started. */
  readonly code?: number | string | null;
  readonly stdout?: string;
  readonly stderr?: string;
}

/**
 * What an lsof that failed found anyway: it exits with 1 if nothing listens, or if it may not see something. Throws if that
 * is not an answer: with a truncated list, a server would seem not to listen.
 */
export function outputOf(failure: LsofFailure): string {
  const { code, stdout = "", stderr = "" } = failure;
  const isList = typeof code === "number" && stdout !== "";
  const isNothing = code === 1 && stdout === "" && stderr === "";
  if (!isList && !isNothing) throw failure;
  return stdout;
}

/** Reads `lsof -Fptn`: a `p` row for each process, and for each of its sockets a `t` row and an `n` row. */
export function parseLsof(text: string): Listener[] {
  let [pid, type] = ["", ""];
  return text.split("\n").flatMap((row) => {
    if (row.startsWith("p")) pid = row.slice(1);
    if (row.startsWith("t")) type = row.slice(1);
    const match = /^n(.*):(\d+)$/.exec(row);
    if (!match) return [];
    const [, host = "", port] = match;
    // The name of a link-local address ends with its interface.
    const address = host.replace(/^\[|%.*|\]$/g, "").replace("*", type === "IPv6" ? "::" : "0.0.0.0");
    const short = shortForm(address);
    return short === undefined ? [] : [{ port: Number(port), address: short, socket: pid }];
  });
}

// --- which listener an address means ----------------------------------------------------------------------------

/** The address of a listener on all addresses of a family. The IPv6 one usually accepts IPv4 too. */
const WILDCARDS = ["0.0.0.0", "::"] as const;

/** Where a connection to a wildcard goes. */
const LOOPBACKS: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

function covers(wildcard: string, address: string): boolean {
  return wildcard === "::" || (wildcard === "0.0.0.0" && isIPv4(address));
}

/** The addresses that a host stands for; undefined for a name that only the resolver knows, which may be any. */
function addressesOf(host: string): readonly string[] | undefined {
  if (host.toLowerCase() === "localhost") return ["127.0.0.1", "::1"];
  const address = shortForm(host);
  return address === undefined ? undefined : [address];
}

/**
 * The listeners on a port that a connection to the host may reach. For one address, those are the ones on exactly that
 * address, and only if there are none, the ones on all addresses.
 */
export function listenersFor(sockets: readonly Listener[], host: string): readonly Listener[] {
  const addresses = addressesOf(host);
  if (addresses === undefined) return sockets;
  return [...new Set(addresses.flatMap((address) => reachedAt(sockets, address)))];
}

function reachedAt(sockets: readonly Listener[], address: string): readonly Listener[] {
  const target = LOOPBACKS.get(address) ?? address;
  const takers = [target, ...WILDCARDS.filter((wildcard) => covers(wildcard, target))];
  const perTaker = takers.map((taker) => sockets.filter((socket) => socket.address === taker));
  return perTaker.find((found) => found.length > 0) ?? [];
}

/** The listeners on a port that prevent anyone else from listening on the host. */
export function obstaclesTo(sockets: readonly Listener[], host: string): readonly Listener[] {
  const addresses = addressesOf(host);
  if (addresses === undefined) return sockets;
  const clash = (a: string, b: string) => a === b || covers(a, b) || covers(b, a);
  return sockets.filter(({ address }) => addresses.some((own) => clash(own, address)));
}

// --- whose it is ------------------------------------------------------------------------------------------------

/** A socket, and a process that holds it open. */
export interface Owned {
  readonly pid: number;
  readonly listener: Listener;
  /** Where the system shows the socket among the process's open files; only on Linux. */
  readonly link?: string;
}

/** One of the sockets that one of the processes holds open, if any. */
export function ownedBy(pids: readonly number[], sockets: readonly Listener[]): Owned | undefined {
  for (const pid of pids) {
    const held = heldBy(pid);
    const listener = sockets.find(({ socket }) => held.has(socket));
    const link = listener && held.get(listener.socket);
    if (listener) return { pid, listener, ...withoutUndefined({ link }) };
  }
  return undefined;
}

/**
 * True if the process still has the socket open at the same place. False says nothing: then look at everything. This check
 * makes the kernel search nothing, while each read of its tables goes through all connections of the machine.
 */
export function isStillOpen({ listener, link }: Owned): boolean {
  return link !== undefined && inodeIn(linkOf(link)) === listener.socket;
}

/** True if no other socket can get the connections to this one's address and port. */
export const isExact = ({ address }: Listener) => !WILDCARDS.some((wildcard) => wildcard === address);

/** The sockets that one of the processes holds open, in their order. Looks into each process once. */
export function allOwnedBy(pids: readonly number[], sockets: readonly Listener[]): Listener[] {
  const held = new Set(pids.flatMap((pid) => [...heldBy(pid).keys()]));
  return sockets.filter(({ socket }) => held.has(socket));
}

/** The sockets that a process has open, each with its {@link Owned.link}. */
const heldBy = (pid: number): ReadonlyMap<string, string | undefined> =>
  isLinux ? socketsOf(pid) : new Map([[String(pid), undefined]]);

function socketsOf(pid: number): Map<string, string> {
  const held = new Map<string, string>();
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const link = `/proc/${pid}/fd/${fd}`;
      const inode = inodeIn(linkOf(link));
      if (inode !== undefined) held.set(inode, link);
    }
  } catch {
    // It is gone by now, or another user's.
  }
  return held;
}

const inodeIn = (target: string) => /^socket:\[(\d+)\]$/.exec(target)?.[1];

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

const STRANGER: Holder = { pid: 0, name: "a process of another user" };

/**
 * The processes that prevent a server from listening on the port now, one for each of their listeners: pid 0 if it belongs
 * to another user. Without a host: all that listen on the port. Throws if the system does not say.
 */
export async function holdersOf(port: number, host?: string): Promise<readonly Holder[]> {
  const holders = await look(port, host);
  // A listener without an owner may just have been closed or passed on.
  return holders.includes(STRANGER) ? look(port, host) : holders;
}

/** The first of {@link holdersOf}, if there is one. */
export async function holderOf(port: number, host?: string): Promise<Holder | undefined> {
  return (await holdersOf(port, host))[0];
}

async function look(port: number, host: string | undefined): Promise<readonly Holder[]> {
  const all = (await listeners()).get(port) ?? [];
  const sockets = host === undefined ? all : obstaclesTo(all, host);
  return sockets.map((socket) => {
    const pids = isLinux
      ? readdirSync("/proc").map(Number).filter(Number.isInteger)
      : [Number(socket.socket)];
    const owner = ownedBy(pids, [socket]);
    return owner ? { pid: owner.pid, name: processName(owner.pid) } : STRANGER;
  });
}
