import { createHash } from "node:crypto";
import type { DeclaredServer } from "./declared.ts";
import type { World } from "./world.ts";

const FIRST = 20_000;
const COUNT = 10_000;

/**
 * Ports for the servers with `auto`. The one that was kept stays, unless another server now declares it; else
 * SHA-256 of `project/name` chooses one in 20000–29999, moved on while it is declared, kept or taken.
 */
export async function autoPorts(
  project: string,
  servers: readonly DeclaredServer[],
  world: Pick<World, "keptPort" | "portTaken">,
): Promise<Record<string, number>> {
  const used = new Set(servers.flatMap(({ input }) => (typeof input.port === "number" ? [input.port] : [])));
  const ports = new Map<string, number>();
  const wanting = servers.filter(({ input }) => input.port === "auto");
  for (const { name } of wanting) {
    const kept = world.keptPort(name);
    if (kept === undefined || used.has(kept)) continue;
    used.add(kept);
    ports.set(name, kept);
  }
  for (const { name } of wanting) {
    if (ports.has(name)) continue;
    const port = await freePort(`${project}/${name}`, used, world.portTaken);
    used.add(port);
    ports.set(name, port);
  }
  return Object.fromEntries(ports);
}

async function freePort(seed: string, used: ReadonlySet<number>, taken: World["portTaken"]): Promise<number> {
  const start = createHash("sha256").update(seed).digest().readUInt32BE(0) % COUNT;
  for (let step = 0; step < COUNT; step++) {
    const port = FIRST + ((start + step) % COUNT);
    if (!used.has(port) && !(await taken(port))) return port;
  }
  throw new Error(`all ${COUNT} ports from ${FIRST} on are in use`);
}
