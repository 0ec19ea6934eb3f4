import type { AuditCheck, AuditReport, AuditVerdict } from "../model/audit.ts";
import { visible } from "../model/visible.ts";
import { painter, type Screen, type Style } from "./screen.ts";
import { padEnd, wrap } from "./width.ts";

const STYLES: Readonly<Record<AuditVerdict, Style>> = {
  ok: "green",
  weak: "yellow",
  wrong: "red",
  unknown: "dim",
};
/** What each is called here. */
const WORDS: Readonly<Record<AuditVerdict, string>> = {
  ok: "ok",
  weak: "weak",
  wrong: "wrong",
  unknown: "-",
};
const INDENT = 9;

/** What was found, check by check; of those that are not right, what is, and why it matters. A newline at its end. */
export function auditView({ url, server, checks }: AuditReport, screen: Screen): string {
  const paint = painter(screen);
  const head = `${paint("bold", visible(url))} ${paint("dim", `(${visible(server)})`)}`;
  const lines = checks.flatMap((check) => linesOf(check, screen));
  const count = (verdict: AuditVerdict) => checks.filter((check) => check.verdict === verdict).length;
  const told = [`${count("wrong")} wrong`, `${count("weak")} weak`, `${count("ok")} ok`];
  const open = count("unknown") === 0 ? [] : [`${count("unknown")} not looked at`];
  return `${[head, ...lines, `${[...told, ...open].join(", ")}.`].join("\n")}\n`;
}

function linesOf({ asked, verdict, seen, right, why }: AuditCheck, screen: Screen): string[] {
  const paint = painter(screen);
  const mark = padEnd(paint(STYLES[verdict], WORDS[verdict]), INDENT - 2);
  const indented = (text: string) =>
    wrap(visible(text), screen.width && screen.width - INDENT)
      .split("\n")
      .map((line) => " ".repeat(INDENT) + line.trim());
  const first = `  ${mark}${indented(`${asked}: ${seen}`).join("\n").trimStart()}`;
  if (verdict === "ok" || verdict === "unknown") return [first];
  return [first, ...indented(`right: ${right}. ${why}`).map((line) => paint("dim", line))];
}
