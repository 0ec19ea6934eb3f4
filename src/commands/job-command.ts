import { integer } from "@oclif/core/args";
import { reachAgent } from "../backends/agent/reach.ts";
import { nextAgent } from "../backends/agent/session.ts";
import { actionKey, parseActionKey } from "../model/action.ts";
import { isOver, type Job } from "../model/job.ts";
import { DEFAULT_PROJECT, NAME_PATTERN } from "../model/name.ts";
import { nearest } from "../model/nearest.ts";
import { ConnectionLost, type RpcClient } from "../rpc/client.ts";
import type { Params, ResultOf } from "../rpc/contract.ts";
import { explained, RpcError } from "../rpc/errors.ts";
import type { Notifications } from "../rpc/notifications.ts";
import { EXIT } from "./exit-codes.ts";
import { ServerCommand } from "./server-command.ts";

export const jobArgument = {
  id: integer({ required: true, min: 1, description: "Job number, as shown by `xy jobs`." }),
};

type Known = ResultOf<"action_list">[number];
type Line = Notifications["log"];
type Wish = Omit<Params<"job_logs">, "id">;

/** What the commands share that are about actions and jobs. */
export abstract class JobCommand extends ServerCommand {
  /** `backup`, `web:backup`, either with `PROJECT/` before it: in the current project first, else in the only one. */
  protected async action(
    client: RpcClient,
    text: string,
    flags: { config?: string | undefined },
  ): Promise<Known["spec"]> {
    const slash = text.indexOf("/");
    const key = text.slice(slash + 1);
    const project = slash < 0 ? {} : { project: text.slice(0, slash) };
    if (parseActionKey(key) === undefined || !NAME_PATTERN.test(project.project ?? DEFAULT_PROJECT))
      this.fail(
        EXIT.usage,
        `cannot read ${JSON.stringify(text)} as an action: write ACTION or SERVER:ACTION, with PROJECT/ before it if need be`,
      );
    const all = await client.call("action_list", project);
    const found = all.filter(({ spec }) => actionKey(spec) === key);
    const current = slash < 0 ? await this.currentProject(flags) : undefined;
    const only = found.length === 1 ? found[0] : found.find(({ spec }) => spec.project === current);
    if (only) return only.spec;
    if (found.length === 0) return this.#unknownAction(key, all);
    const names = found.map(({ spec }) => `${spec.project}/${key}`).join(" or ");
    return this.fail(EXIT.usage, `cannot tell which ${key} is meant: say ${names}`);
  }

  #unknownAction(key: string, all: readonly Known[]): never {
    const guess = nearest(
      key,
      all.map(({ spec }) => actionKey(spec)),
    );
    const wayOut =
      guess === undefined
        ? "`xy run` shows all, and `xy apply` brings in what is declared; a command goes after --"
        : `did you mean ${guess}?`;
    return this.fail(EXIT.failed, `cannot find action ${key}: ${wayOut}`);
  }

  /**
   * Gives each line of a job to `take`. With `follow` that goes on until the job is over, or the command is interrupted;
   * an agent that goes away meanwhile takes nothing along: its successor is asked for the rest. Answers with the job.
   */
  protected async readJob(id: number, wish: Wish, take: (line: Line) => void): Promise<ResultOf<"job_get">> {
    const progress: Progress = { taken: 0, last: 0 };
    for (let client = await this.reaching(() => reachAgent(this.state)); ; ) {
      const reader = client;
      const job = await this.#attend(reader, { id, ...wish }, progress, take).finally(() => reader.close());
      if (job) return job;
      client = (await this.reaching(() => nextAgent(this.state))) ?? this.fail(EXIT.unreachable, GONE);
    }
  }

  /** Undefined: the connection was lost. */
  async #attend(
    client: RpcClient,
    wanted: Params<"job_logs">,
    progress: Progress,
    take: (line: Line) => void,
  ): Promise<ResultOf<"job_get"> | undefined> {
    const { id, follow } = wanted;
    const before = { ...progress };
    let seen = 0;
    const ended = new Promise<void>((resolve) => {
      client.onNotification = (method, params) => {
        if (method === "log_end") {
          this.#tellMissed(params as Notifications["log_end"]);
          resolve();
        }
        if (method !== "log") return;
        const line = params as Line;
        // Its oldest lines may have been rotated away since: a later one was not taken yet, whatever the count says.
        if (++seen <= before.taken && line.ts_unix_ms <= before.last) return;
        progress.taken += 1 + (line.missed ?? 0);
        progress.last = line.ts_unix_ms;
        this.#tellMissed(line);
        take(line);
      };
      if (this.signal.aborted) resolve();
      this.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    try {
      await client.call("job_logs", wanted);
      await Promise.race([ended, client.closed]);
      for (;;) {
        const job = await client.call("job_get", { id });
        // Its output has ended, and the rest follows at once.
        if (!follow || isOver(job) || this.signal.aborted) return job;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } catch (error) {
      if (error instanceof ConnectionLost) return undefined;
      if (error instanceof RpcError) return this.fail(EXIT.failed, explained(error).message);
      throw error;
    }
  }

  #tellMissed({ missed }: { readonly missed?: number | undefined }): void {
    if (missed)
      this.note(
        `xy: ${missed === 1 ? "1 line is" : `${missed} lines are`} not shown: there were more than its log keeps, or its disk is full`,
      );
  }
}

/** How far a job's output was read. */
interface Progress {
  /** Lines, those included that were told as missed. */
  taken: number;
  /** Unix ms of the last of them. */
  last: number;
}

const GONE = "the agent was stopped; the job may have ended with it: `xy jobs` tells";

/** What a command ends with that ran a job: the program's own code; 128 and the number of the signal that ended it. */
export async function exitCodeOf({ phase, exit_code, signal }: Job): Promise<number> {
  if (phase === "succeeded") return EXIT.success;
  if (exit_code !== null && exit_code !== 0) return exit_code;
  const { constants } = await import("node:os");
  const number = constants.signals[signal as NodeJS.Signals];
  return number === undefined ? EXIT.failed : 128 + number;
}
