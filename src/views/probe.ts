import type { ProbeReport } from "../model/probe-report.ts";
import { formatDuration } from "../model/units.ts";
import { visible } from "../model/visible.ts";
import { painter, type Screen } from "./screen.ts";
import { cut, displayWidth, padEnd, wrap } from "./width.ts";

export interface ProbeView extends ProbeReport {
  readonly name: string;
  readonly which: "readiness" | "liveness";
  /** Kind of probe. */
  readonly type: string;
}

/** Every step of one look and its verdict, with a newline at its end. Nothing is cut but on a terminal. */
export function probeView(report: ProbeView, screen: Screen): string {
  const paint = painter(screen);
  const taken = report.steps.map((one) => ({ ...one, step: visible(one.step), detail: visible(one.detail) }));
  const column = Math.max(...taken.map(({ step }) => displayWidth(step)));
  const steps = taken.map(({ step, ok, detail, ms }) => {
    const mark = ok ? paint("green", "ok") : paint("red", "no");
    const short = cut(detail, screen.width && screen.width - column - 18);
    return `  ${padEnd(mark, 2)}  ${padEnd(step, column)}  ${short} ${paint("dim", `(${formatDuration(ms)})`)}`;
  });
  const name = visible(report.name);
  const good = report.which === "readiness" ? "ready" : "healthy";
  const verdict = report.ok ? paint("green", good) : paint("red", `not ${good}`);
  const head = `${paint("bold", name)} ${paint("dim", `(${report.which}, ${visible(report.type)})`)}`;
  const last = wrap(`${name} is ${verdict}: ${visible(report.evidence)}`, screen.width);
  return `${[head, ...steps, last].join("\n")}\n`;
}
