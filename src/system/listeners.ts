import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { promisify } from "node:util";
import { processName } from "./processes.ts";

/** Who listens on which TCP port. Linux is read from /proc/net; elsewhere `lsof` is asked. */

export interface Listener {
  readonly port: number;
  /** As the kernel has it: `127.0.0.1`, `0.0.0.0`, `::1`, `::`, … */
  readonly address: string;
  /** Names the socket for its whole life: an inode on Linux, `pid` elsewhere. */
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

/** Reads the listening rows of /proc/net/tcp or tcp6. */
export function parseProcNet(text: string): Listener[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((row) => {
      const [, local = "", , state, , , , , , inode = ""] = row.trim().split(/\s+/);
      if (state !== LISTEN) return [];
      const [address = "", port = ""] = local.split(":");
      return [{ port: Number.parseInt(port, 16), address: hexAddress(address), socket: inode }];
    });
}

/** Addresses are 32-bit words in host order (little endian on all that Node runs on). */
function hexAddress(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  for (let i = 0; i < bytes.length; i += 4) bytes.subarray(i, i + 4).reverse();
  if (bytes.length === 4) return bytes.join(".");
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  return words.join(":").replace(/(^|:)0(:0)+(:|$)/, "::");
}

async function askLsof(): Promise<Listener[]> {
  try {
    const { stdout } = await promisify(execFile)("lsof", ["-nP", "-iTCP", "-sTCP:LISTEN", "-Fpn"], {
      timeout: 5000,
    });
    return parseLsof(stdout);
  } catch {
    // lsof ends with 1 when nothing matches.
    return [];
  }
}

/** Reads `lsof -Fpn`: a `p` row for each process, an `n` row for each of its sockets. */
export function parseLsof(text: string): Listener[] {
  let pid = "";
  return text.split("\n").flatMap((row) => {
    if (row.startsWith("p")) pid = row.slice(1);
    const match = /^n(.*):(\d+)$/.exec(row);
    if (!match) return [];
    const [, host = "", port] = match;
    return [
      { port: Number(port), address: host === "*" ? "0.0.0.0" : host.replace(/[[\]]/g, ""), socket: pid },
    ];
  });
}

/** Which of the sockets one of the processes holds open, if any. */
export function ownedBy(
  pids: readonly number[],
  sockets: readonly Listener[],
): { pid: number; listener: Listener } | undefined {
  for (const pid of pids) {
    const held = isLinux ? socketsOf(pid) : new Set([String(pid)]);
    const listener = sockets.find(({ socket }) => held.has(socket));
    if (listener) return { pid, listener };
  }
  return undefined;
}

function socketsOf(pid: number): Set<string> {
  const held = new Set<string>();
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) held.add(inode);
    }
  } catch {
    // Gone meanwhile, or another user's.
  }
  return held;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** Who holds the port now: undefined when it is free; pid 0 when the holder belongs to someone else. */
export async function holderOf(port: number): Promise<Holder | undefined> {
  const sockets = (await listeners()).get(port);
  if (!sockets) return undefined;
  const pids = isLinux
    ? readdirSync("/proc").map(Number).filter(Number.isInteger)
    : sockets.map(({ socket }) => Number(socket));
  const owner = ownedBy(pids, sockets);
  return owner
    ? { pid: owner.pid, name: processName(owner.pid) }
    : { pid: 0, name: "a process of another user" };
}
