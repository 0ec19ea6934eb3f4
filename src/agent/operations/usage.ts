import { secondsSince } from "../../model/elapsed.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import type { ParsedParams, ResultOf } from "../../rpc/contract.ts";
import { bridgeEntryOf } from "../../rpc/entries.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { processEntries, totalOf } from "../../rpc/usage-contract.ts";
import type { Tally } from "../../supervisor/recorded.ts";
import { publicState } from "../../supervisor/state.ts";
import { usageOf } from "../../system/usage.ts";
import type { Registry } from "../servers/registry.ts";
import type { Supervised } from "../servers/supervised.ts";

/** What servers use, and how they have done. */

export async function children(
  registry: Registry,
  { name, project }: ParsedParams<"children">,
): Promise<ResultOf<"children">> {
  const server = registry.get(name, project);
  await server.probing.askBridge();
  const { bridge } = server.probing;
  const { own, left } = await familyOf(server);
  const usage = await usageOf(pidsOf([...own, ...left]));
  if (usage.length === 0)
    throw new RpcError(
      RPC_ERRORS.notRunning,
      `cannot show the processes of ${name}: it is ${publicState(server.state)}; \`xy start ${name}\` starts it`,
    );
  const redacted = (text: string) => server.redactor.line(text);
  return {
    name: server.spec.name,
    project: server.spec.project,
    ...processEntries(usage, redacted, pidsOf(left)),
    ...bridgeEntryOf(withoutUndefined({ bridge })),
  };
}

export async function stats(
  registry: Registry,
  { names, project }: ParsedParams<"stats">,
): Promise<ResultOf<"stats">> {
  const servers = names ? names.map((name) => registry.get(name, project)) : registry.all(project);
  const families = await Promise.all(servers.map(familyOf));
  const pids = families.map(({ own }) => pidsOf(own));
  const usage = new Map((await usageOf(pids.flat())).map((one) => [one.pid, one]));
  return servers.map((server, i) => {
    const { phase } = server.state;
    const uptime = phase.tag === "running" ? secondsSince(phase.startedAt, Date.now()) : undefined;
    return {
      name: server.spec.name,
      project: server.spec.project,
      backend: "agent",
      state: publicState(server.state),
      ...withoutUndefined({ uptime_secs: uptime }),
      ...totalOf((pids[i] ?? []).flatMap((pid) => usage.get(pid) ?? [])),
      counted: countedOf(server.tally),
    };
  });
}

const pidsOf = (rows: readonly { readonly pid: number }[]) => rows.map(({ pid }) => pid);

const NOBODY = { own: [], left: [] };

const familyOf = async (server: Supervised) => (await server.incarnation?.family()) ?? NOBODY;

function countedOf({ since, up, down, starts, restarts, failures, runs }: Tally) {
  const secs = (ms: number) => Math.round(ms / 100) / 10;
  return {
    since_unix_ms: since,
    availability: up + down === 0 ? null : up / (up + down),
    up_secs: secs(up),
    down_secs: secs(down),
    starts,
    restarts,
    failures,
    runs:
      runs.count === 0
        ? null
        : {
            count: runs.count,
            shortest_secs: secs(runs.shortest),
            mean_secs: secs(runs.total / runs.count),
            longest_secs: secs(runs.longest),
          },
  };
}
