import type { ParsedParams, ResultOf } from "../../rpc/contract.ts";
import type { Registry } from "../servers/registry.ts";
import type { Supervised } from "../servers/supervised.ts";
import { type Acts, answersOf, named } from "./targets.ts";

export async function pause(registry: Registry, target: ParsedParams<"pause">): Promise<ResultOf<"pause">> {
  const until = target.for_ms === undefined ? null : Date.now() + target.for_ms;
  const acts = eachOf(named(registry, target), (server) => {
    const isNew = server.state.paused === undefined;
    server.dispatch({ type: "pause", until });
    return isNew;
  });
  const { yes, no, failed } = await answersOf(acts, target);
  return { paused: yes, already_paused: no, failed };
}

export async function resume(
  registry: Registry,
  target: ParsedParams<"resume">,
): Promise<ResultOf<"resume">> {
  const acts = eachOf(named(registry, target), (server) => {
    const wasPaused = server.state.paused !== undefined;
    server.dispatch({ type: "resume" });
    return wasPaused;
  });
  const { yes, no, failed } = await answersOf(acts, target);
  return { resumed: yes, not_paused: no, failed };
}

function eachOf(servers: readonly Supervised[], act: (server: Supervised) => boolean): Acts {
  return new Map(servers.map((server) => [server, Promise.resolve(server).then(act)]));
}
