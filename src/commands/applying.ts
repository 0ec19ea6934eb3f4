import { EXIT } from "../model/exit-codes.ts";
import { parseDuration } from "../model/units.ts";
import type { Applied, ApplyFront, ApplyWorld } from "../operation/applying/front.ts";
import type { Outcome } from "../operation/outcome.ts";
import { renderApplyLines } from "../views/apply.ts";
import { planDocument } from "../views/json.ts";
import { planView } from "../views/plan.ts";
import type { BaseCommand } from "./base.ts";
import { completed } from "./endings.ts";
import { plansFleet } from "./plans-fleet.ts";
import { confirm } from "./prompt.ts";
import { specScreen } from "./spec-screen.ts";

/** Ms. */
const LONGEST_WAIT = 3_600_000;

const NO_TERMINAL = "there is no terminal to ask on; say --yes to go ahead";

/** The wait for each start in ms; undefined: while it makes progress. */
export function waitMsOf(
  command: BaseCommand,
  flags: { wait: boolean; "wait-timeout"?: string | undefined },
): number | undefined {
  const given = flags["wait-timeout"];
  if (given === undefined) return flags.wait ? undefined : 0;
  const ms = parseDuration(given);
  if (ms === undefined || ms === 0) {
    command.fail(EXIT.usage, `cannot read --wait-timeout ${given}: write a duration such as 30s or 2m`);
  }
  if (ms > LONGEST_WAIT) command.fail(EXIT.usage, "cannot wait that long: --wait-timeout is at most 1h");
  return flags.wait ? ms : 0;
}

/** What a recipe needs beside its front. */
export function applyWorld(command: BaseCommand): ApplyWorld {
  return { state: command.state, openFleet: (project, options) => plansFleet(command, project, options) };
}

/** `cannotAsk`: what to do where there is nobody to ask. */
export function applyFront(
  command: BaseCommand,
  {
    cannotAsk = NO_TERMINAL,
    begins,
    defaults = false,
  }: {
    readonly cannotAsk?: string;
    readonly defaults?: boolean;
    readonly begins?: () => void;
  } = {},
): ApplyFront {
  return {
    signal: command.signal,
    showPlan: async (plan) => {
      await command.tellWhole(async () =>
        planView(plan, { ...(await specScreen(command.screen)), defaults }),
      );
    },
    ask: async (question) => {
      if (!command.canConfirm) return { cannotAsk };
      command.endBusy();
      return (await confirm(question, command.signal)) ? "yes" : "no";
    },
    ...(begins && { begins }),
    showProgress: (...shown) => showProgress(command, ...shown),
    showMoved: (server, project) => {
      command.tell(`${server}: moved to project ${project}`);
    },
    note: (text) => command.note(text),
  };
}

async function showProgress(
  command: BaseCommand,
  ...[plan, events, verb]: Parameters<ApplyFront["showProgress"]>
): Promise<unknown> {
  command.endBusy();
  const screen = { colour: command.colour, verb };
  const terminal = command.liveTerminal;
  if (terminal) {
    const { renderApplyTasks } = await import("../views/apply-tasks.ts");
    return renderApplyTasks(plan, events, terminal, screen);
  }
  return renderApplyLines(events, (text) => command.tell(text), screen);
}

/** What was carried out, and its exit code. Ends the command if the recipe stopped before. */
export function appliedOrEnd(command: BaseCommand, outcome: Outcome<Applied>): Applied {
  const { plan, finals } = completed(command, outcome);
  const isDone = finals.every(({ type }) => type === "done");
  if (!isDone && !command.signal.aborted) process.exitCode = EXIT.failed;
  else if (plan.unreachable) process.exitCode = EXIT.unreachable;
  return { plan, finals };
}

export function printOutcome(command: BaseCommand, { plan, finals }: Applied): Promise<void> {
  return command.show(finals, {
    // The terminal has shown it all, line by line.
    text: () => undefined,
    json: () => ({ version: 1, plan: planDocument(plan), outcome: finals }),
  });
}
