import type { Following } from "../backends/agent/following.ts";
import { EXIT } from "../model/exit-codes.ts";
import { isOver, type Job } from "../model/job.ts";
import type { Params, ResultOf } from "../rpc/contract.ts";
import type { Notifications } from "../rpc/notifications.ts";
import type { BaseCommand } from "./base.ts";
import { answering, reaching } from "./endings.ts";
import { AGENT_DIED, earlierAgent } from "./line-flags.ts";

type Line = Notifications["log"];
type Wish = Omit<Params<"job_logs">, "id">;

/**
 * Gives each line of a job to `take`: with `follow` until the job is over, past the death of the agent. Answers with the
 * job, or undefined if the command is interrupted before.
 */
export async function readJob(
  command: BaseCommand,
  id: number,
  wish: Wish,
  take: (line: Line) => void,
): Promise<ResultOf<"job_get"> | undefined> {
  const { follow, jobOutput } = await import("../backends/agent/following.ts");
  let hasEnded = false;
  const following: Following<ResultOf<"job_get">> = {
    line: (line) => {
      tellMissed(command, line);
      take(line);
    },
    ended: (_, missed) => {
      hasEnded = true;
      tellMissed(command, { missed });
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
    died: () => command.note(AGENT_DIED),
    partUnknown: earlierAgent(command, wish.tail),
  };
  const sources = [jobOutput({ id, ...wish })];
  const end = await answering(command, () =>
    reaching(command, () => follow(command.state, sources, following, command.signal)),
  );
  if (end === "no-agent") command.fail(EXIT.unreachable, GONE);
  return end === "told" ? undefined : end;
}

function tellMissed(command: BaseCommand, { missed }: { readonly missed?: number | undefined }): void {
  if (missed)
    command.note(
      `xy: ${missed === 1 ? "1 line is" : `${missed} lines are`} not shown: there were more than its log keeps, or its disk is full`,
    );
}

const GONE = "the agent was stopped, and the job may have ended with it; see `xy jobs`";

/** The exit code of a command that ran a job: the program's own, or 128 + the number of the signal that ended it. */
export async function exitCodeOf({ phase, exit_code, signal }: Job): Promise<number> {
  if (phase === "succeeded") return EXIT.success;
  if (exit_code !== null && exit_code !== 0) return exit_code;
  const { constants } = await import("node:os");
  const number = constants.signals[signal as NodeJS.Signals];
  return number === undefined ? EXIT.failed : 128 + number;
}
