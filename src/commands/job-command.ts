import { integer } from "@oclif/core/args";
import type { Following } from "../backends/agent/following.ts";
import { actionKey, parseActionKey } from "../model/action.ts";
import { isOver, type Job } from "../model/job.ts";
import { DEFAULT_PROJECT, NAME_PATTERN } from "../model/name.ts";
import { nearest } from "../model/nearest.ts";
import type { RpcClient } from "../rpc/client.ts";
import type { Params, ResultOf } from "../rpc/contract.ts";
import type { Notifications } from "../rpc/notifications.ts";
import { EXIT } from "./exit-codes.ts";
import { AGENT_DIED } from "./line-flags.ts";
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
   * Gives each line of a job to `take`: with `follow` until the job is over, past the death of the agent. Answers with the
   * job, or undefined if the command is interrupted before.
   */
  protected async readJob(
    id: number,
    wish: Wish,
    take: (line: Line) => void,
  ): Promise<ResultOf<"job_get"> | undefined> {
    const { follow, jobOutput } = await import("../backends/agent/following.ts");
    let hasEnded = false;
    const following: Following<ResultOf<"job_get">> = {
      line: (line) => {
        this.#tellMissed(line);
        take(line);
      },
      ended: (_, missed) => {
        hasEnded = true;
        this.#tellMissed({ missed });
      },
      over: async (client) => {
        while (hasEnded) {
          const job = await client.call("job_get", { id });
          // Its output has ended, and the rest follows at once.
          if (!wish.follow || isOver(job)) return job;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return undefined;
      },
      died: () => this.note(AGENT_DIED),
    };
    const sources = [jobOutput({ id, ...wish })];
    const end = await this.answering(() =>
      this.reaching(() => follow(this.state, sources, following, this.signal)),
    );
    if (end === "no-agent") this.fail(EXIT.unreachable, GONE);
    return end === "told" ? undefined : end;
  }

  #tellMissed({ missed }: { readonly missed?: number | undefined }): void {
    if (missed)
      this.note(
        `xy: ${missed === 1 ? "1 line is" : `${missed} lines are`} not shown: there were more than its log keeps, or its disk is full`,
      );
  }
}

const GONE = "the agent was stopped, and the job may have ended with it; see `xy jobs`";

/** What a command ends with that ran a job: the program's own code; 128 and the number of the signal that ended it. */
export async function exitCodeOf({ phase, exit_code, signal }: Job): Promise<number> {
  if (phase === "succeeded") return EXIT.success;
  if (exit_code !== null && exit_code !== 0) return exit_code;
  const { constants } = await import("node:os");
  const number = constants.signals[signal as NodeJS.Signals];
  return number === undefined ? EXIT.failed : 128 + number;
}
