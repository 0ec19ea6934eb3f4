import type { Backend, PerformResult } from "../../../src/backends/backend.ts";
import { startHash } from "../../../src/model/canonical.ts";
import type { Observed } from "../../../src/model/observed.ts";
import type { Change } from "../../../src/model/plan.ts";
import type { ServerSpec } from "../../../src/model/spec.ts";
import { NOW, resting, running } from "./fixtures.ts";

/** A machine in memory on which every change does at once what its action says. */
export class World implements Backend {
  readonly kind = "agent";
  readonly waits = true;
  readonly servers: Map<string, Observed>;

  constructor(servers: readonly Observed[] = []) {
    this.servers = new Map(servers.map((server) => [server.name, server]));
  }

  check() {
    return [];
  }

  async reach() {}

  async close() {}

  async observe() {
    return [...this.servers.values()];
  }

  async perform(change: Change): Promise<PerformResult> {
    const after = afterwards(change);
    if (after === undefined) this.servers.delete(change.server);
    else this.servers.set(change.server, after);
    return { ok: true, detail: "" };
  }
}

function afterwards(change: Change): Observed | undefined {
  const { desired, observed, held } = change;
  if (desired === undefined) return undefined;
  const operator = observed?.operator ?? (held ? "stop" : null);
  switch (change.action) {
    case "remove":
      return undefined;
    case "add":
      return held || desired.wanted !== "start"
        ? resting(desired, { operator })
        : running(desired, { operator });
    case "start":
    case "restart":
      return {
        ...running(desired, { operator }),
        ...(observed?.lastExit && { lastExit: observed.lastExit }),
      };
    case "stop":
      return resting(desired, {
        operator,
        lastExit: { exit: { kind: "code", code: 0 }, at: NOW, requested: true },
      });
    case "update":
      return taken(observed, desired);
    case "none":
      return observed;
  }
}

/** The new spec is recorded, and what someone else changed is put back; the process stays what it is. */
function taken(observed: Observed | undefined, desired: ServerSpec): Observed | undefined {
  if (observed === undefined) return undefined;
  const { drift: _, ...rest } = observed;
  const live = observed.state === "running" || observed.state === "starting";
  return {
    ...rest,
    spec: desired,
    ...(live ? { runningHash: observed.runningHash ?? startHash(desired) } : {}),
  };
}

/** Everything an iteration gives. */
export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
