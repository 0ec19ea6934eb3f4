import { findAgent } from "../backends/agent/find.ts";
import { reachAgent } from "../backends/agent/reach.ts";
import type { RpcClient } from "../rpc/client.ts";
import { hasActions, hasTypedJobs, recordedNames, recordedProjects } from "../system/projects.ts";
import type { BaseCommand } from "./base.ts";
import { answering, reaching } from "./endings.ts";

/** Runs `work` with a connection to the agent. Starts the agent if it is not running. */
export async function withAgent<T>(
  command: BaseCommand,
  work: (client: RpcClient) => Promise<T>,
): Promise<T> {
  return answering(command, async () => {
    const client = await reaching(command, () => reachAgent(command.state));
    client.onWarning = (_, warning) => command.note(`xy: the agent ${warning}`);
    return work(client).finally(() => client.close());
  });
}

/** As {@link withAgent}, but returns undefined and starts no agent if there is nothing on record. `only`: a project. */
export async function withAgentIfRecorded<T>(
  command: BaseCommand,
  work: (client: RpcClient) => Promise<T>,
  only?: string,
): Promise<T | undefined> {
  const recorded = recordedProjects(command.state).some(
    (project) =>
      (only ?? project) === project &&
      (recordedNames(command.state, project).length > 0 ||
        hasActions(command.state, project) ||
        hasTypedJobs(command.state, project)),
  );
  if (!recorded) {
    const { anySurvives } = await import("../system/survivors.ts");
    if (!(await anySurvives(command.state, only))) return undefined;
  }
  return withAgent(command, work);
}

/** As {@link withAgent}, but returns undefined if no agent is running. `find` looks for it. */
export async function withRunningAgent<T>(
  command: BaseCommand,
  work: (client: RpcClient) => Promise<T>,
  find: (state: string) => Promise<RpcClient | undefined> = findAgent,
): Promise<T | undefined> {
  return answering(command, async () => {
    const client = await reaching(command, () => find(command.state));
    return client && work(client).finally(() => client.close());
  });
}
