import { boolean, string } from "@oclif/core/flags";
import { parseDuration } from "../model/units.ts";
import type { Applied, ApplyFront, ApplyWorld } from "../operation/applying/front.ts";
import type { Outcome } from "../operation/outcome.ts";
import { renderApplyLines } from "../views/apply.ts";
import { planDocument } from "../views/json.ts";
import { planView } from "../views/plan.ts";
import { EXIT } from "./exit-codes.ts";
import { ProjectCommand } from "./project-command.ts";
import { canAsk, confirm } from "./prompt.ts";

export const waitFlags = {
  wait: boolean({ default: true, allowNo: true, summary: "Wait until each server is ready." }),
  "wait-timeout": string({
    env: "XY_WAIT_TIMEOUT",
    helpValue: "DURATION",
    summary:
      "Wait exactly this long for each server to become ready. Without it, wait until the server's `start-timeout` " +
      "(5m unless declared), but give up after 60s without a sign of life.",
  }),
  rollback: boolean({
    default: true,
    allowNo: true,
    summary: "Restore the previous version of a changed server that does not become ready.",
  }),
};

/** Ms. */
const LONGEST_WAIT = 3_600_000;

const NO_TERMINAL = "there is no terminal to ask on; say --yes to go ahead";

/** For the commands that carry out a plan: the recipes in `operation/applying/`, with this terminal as their front. */
export abstract class ApplyCommand extends ProjectCommand {
  /** The wait for each start in ms; undefined: while it makes progress. */
  protected waitMs(flags: { wait: boolean; "wait-timeout"?: string | undefined }): number | undefined {
    const given = flags["wait-timeout"];
    if (given === undefined) return flags.wait ? undefined : 0;
    const ms = parseDuration(given);
    if (ms === undefined || ms === 0) {
      this.fail(EXIT.usage, `cannot read --wait-timeout ${given}: write a duration such as 30s or 2m`);
    }
    if (ms > LONGEST_WAIT) this.fail(EXIT.usage, "cannot wait that long: --wait-timeout is at most 1h");
    return flags.wait ? ms : 0;
  }

  protected get world(): ApplyWorld {
    return { state: this.state, openFleet: (project, options) => this.fleet(project, options) };
  }

  /** `cannotAsk`: what to do where there is nobody to ask. */
  protected front({
    cannotAsk = NO_TERMINAL,
    begins,
  }: {
    readonly cannotAsk?: string;
    readonly begins?: () => void;
  } = {}): ApplyFront {
    return {
      signal: this.signal,
      showPlan: async (plan) => {
        if (!this.json) this.print(planView(plan, await this.specScreen()));
      },
      ask: async (question) => {
        if (!canAsk() || this.json) return { cannotAsk };
        return (await confirm(question, this.signal)) ? "yes" : "no";
      },
      ...(begins && { begins }),
      showProgress: (...shown) => this.#showProgress(...shown),
      showMoved: (server, project) => {
        if (!this.json) this.print(`${server}: moved to project ${project}`);
      },
      note: (text) => this.note(text),
    };
  }

  async #showProgress(...[plan, events, verb]: Parameters<ApplyFront["showProgress"]>): Promise<unknown> {
    const screen = { colour: this.colour, verb };
    if (this.json) return renderApplyLines(events, () => {}, screen);
    if (process.stdout.isTTY && process.env.TERM !== "dumb") {
      const { renderApplyTasks } = await import("../views/apply-tasks.ts");
      return renderApplyTasks(plan, events, process.stdout, screen);
    }
    return renderApplyLines(events, (text) => this.print(text), screen);
  }

  /** What was carried out, and its exit code. Ends the command if the recipe stopped before. */
  protected applied(outcome: Outcome<Applied>): Applied {
    const { plan, finals } = this.outcome(outcome);
    const isDone = finals.every(({ type }) => type === "done");
    if (!isDone && !this.signal.aborted) process.exitCode = EXIT.failed;
    else if (plan.unreachable) process.exitCode = EXIT.unreachable;
    return { plan, finals };
  }

  protected printOutcome({ plan, finals }: Applied): void {
    if (this.json) this.printJson({ version: 1, plan: planDocument(plan), outcome: finals });
  }
}
