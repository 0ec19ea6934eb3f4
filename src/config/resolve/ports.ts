import { createHash } from "node:crypto";
import { isAuto, preferredPort } from "../../model/port.ts";
import type { DeclaredServer } from "../declared.ts";
import type { World } from "./world.ts";

/** Above a preferred port so many are tried before one is derived. */
const NEXT = 1000;
const LAST_PORT = 65_535;
const FIRST = 20_000;
const COUNT = 10_000;

/**
 * Ports for the servers with `auto`. The one that was kept stays, unless another server now declares it; else each in
 * the order of names gets the one that it prefers or the next that is free. Without a preference SHA-256 of `project/name`
 * chooses one in 20000–29999, moved on while it is declared, kept or taken.
 */
export async function autoPorts(
  project: string,
  servers: readonly DeclaredServer[],
  world: Pick<World, "keptPort" | "portTaken">,
): Promise<Record<string, number>> {
  const used = new Set(servers.flatMap(({ input }) => (typeof input.port === "number" ? [input.port] : [])));
  const ports = new Map<string, number>();
  const wanting = servers
    .filter(({ input }) => isAuto(input.port))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const { name } of wanting) {
    const kept = world.keptPort(name);
    if (kept === undefined || used.has(kept)) continue;
    used.add(kept);
    ports.set(name, kept);
  }
  for (const { name, input } of wanting) {
    if (ports.has(name)) continue;
    const isFree = async (port: number) => !used.has(port) && !(await world.portTaken(port, name));
    const prefer = preferredPort(input.port);
    const port = (await nextFree(prefer, isFree)) ?? (await derivedPort(`${project}/${name}`, isFree));
    used.add(port);
    ports.set(name, port);
  }
  return Object.fromEntries(ports);
}

type IsFree = (port: number) => Promise<boolean>;

async function nextFree(prefer: number | undefined, isFree: IsFree): Promise<number | undefined> {
  if (prefer === undefined) return undefined;
  const last = Math.min(prefer + NEXT, LAST_PORT);
  for (let port = prefer; port <= last; port++) if (await isFree(port)) return port;
  return undefined;
}

async function derivedPort(seed: string, isFree: IsFree): Promise<number> {
  const start = createHash("sha256").update(seed).digest().readUInt32BE(0) % COUNT;
  for (let step = 0; step < COUNT; step++) {
    const port = FIRST + ((start + step) % COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error(`all ${COUNT} ports from ${FIRST} on are in use`);
}
