import { EXIT, type ExitCode } from "../model/exit-codes.ts";
import type { Plan } from "../model/plan.ts";
import { isEmpty } from "../model/summary.ts";

/** How a command ends that only shows a plan; undefined: well. `detailed`: changes are told apart from none. */
export function planExitCode(plan: Plan, detailed: boolean, moves = false): ExitCode | undefined {
  if (plan.diagnostics.some(({ severity }) => severity === "error")) return EXIT.failed;
  if (plan.unreachable) return EXIT.unreachable;
  return detailed && (!isEmpty(plan) || moves) ? EXIT.changesPending : undefined;
}
