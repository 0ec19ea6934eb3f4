import type { Plan } from "../model/plan.ts";
import { isEmpty } from "../model/summary.ts";
import { type HistoryRow, whenText } from "./history.ts";
import { planDocument } from "./json.ts";
import { planBlocks } from "./plan-blocks.ts";
import { painter, type Screen } from "./screen.ts";
import { wrap } from "./width.ts";

type Facts = NonNullable<HistoryRow["facts"]> & { readonly number: number };

/** Two generations, and what differs between them. */
interface Compared {
  readonly to: Facts;
  readonly from?: Facts;
  readonly unreadable: readonly number[];
  readonly isOldest: boolean;
  readonly plan: Plan;
}

/** What differs between two generations, with a newline at its end. */
export function generationView(compared: Compared, screen: Screen): string {
  const { to, plan } = compared;
  const paint = painter(screen);
  const name = `Generation ${to.number}`;
  const title = wrap(`${name}, ${whenText(to)}, ${againstText(compared)}`, screen.width);
  const nothing = compared.from === undefined ? "It declares nothing." : "Nothing differs.";
  const blocks = isEmpty(plan) ? [nothing] : planBlocks(plan, screen, "was").map((lines) => lines.join("\n"));
  return `${[paint("bold", name) + title.slice(name.length), ...blocks].join("\n\n")}\n`;
}

function againstText({ to, from, unreadable, isOldest }: Compared): string {
  const without = unreadable.length === 0 ? "" : `; ${unreadable.join(", ")} cannot be read`;
  if (from !== undefined) {
    const back = to.rollbackOf === undefined ? "" : `, a rollback to ${to.rollbackOf}`;
    return `compared with ${from.number}${back}${without}:`;
  }
  return isOldest ? "the oldest that is kept; all that it declares:" : `the first${without}:`;
}

/** What `xy history NUMBER --json` prints. Fields may be added within a version, never renamed or removed. */
export function generationDocument({ to, from, unreadable, plan }: Compared) {
  const { version, project, summary, changes, actions, clients } = planDocument(plan);
  const { number, at, outcome, rollbackOf } = to;
  return {
    ...{ version, project, number, at, outcome },
    ...(rollbackOf !== undefined && { rollbackOf }),
    from: from?.number ?? null,
    ...(unreadable.length > 0 && { unreadable }),
    ...{ summary, changes, actions },
    ...(clients && { clients }),
  };
}
