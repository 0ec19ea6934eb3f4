/** What documents show for the home of a test. */
export const SHOWN_HOME = "/home/someone";

/** Everything in which two runs of one session may differ. */
const VARYING: readonly [what: RegExp, to: string | ((found: string) => string)][] = [
  [/\bpid \d+/g, "pid N"],
  // A table: pid, port and uptime, and with them the widths of its columns.
  [/^(NAME|ID) .*(\n.+)*/gm, (table) => table.replace(/ {2,}/g, " ")],
  [/^(\S+ \S+ \S+) \d+ (\d+|-) \d+[smh](?: \d+[smh])? (\d+)/gm, "$1 PID $2 UPTIME $3"],
  [/^( +(pid|uptime): +)\S+$/gm, "$1N"],
  // Not checked at first.
  [/^( +healthy: +).*$/gm, "$1"],
  [/\b2\d{4}\b/g, "PORT"],
  [/(\bjust now|\b\d+ (second|minute)s? ago) */g, "AGO "],
  [/\b(for|up) \d+s\b/g, "$1 UPTIME"],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, "TIME"],
  // How long an age, a path or a pid is decides where the lines of a paragraph end.
  [/(.+\n)*.*(\bAGO |\/home\/someone|\bpid N\b).*(\n.+)*/g, (paragraph) => paragraph.replace(/\s+/g, " ")],
  [/^( +(?:\+ )?program: +).*\/(\w+)$/gm, "$1$2"],
  [/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏](?= \S+: )/g, "⠋"],
  [/\bwaited \d+s\b/g, "waited TIME"],
  [/(?<![\d.])\d+\.\d+\.\d+(?![\d.])/g, "VERSION"],
  // Which defaults there are depends on the system and the account.
  [/\(\d+ defaults hidden; /g, "(N defaults hidden; "],
];

/** Outcomes of servers that are worked on at once: they come in the order in which they are done. */
const OUTCOMES =
  /(?:^\S+: (?:(?:added|changed|restarted|stopped|started)[,:]|changed in place|stopped and removed).*\n){2,}/gm;

/** A text without that. */
export function settled(text: string): string {
  return VARYING.reduce((sum, [what, to]) => sum.replace(what, to as string), text)
    .replace(/[ \t]+$/gm, "")
    .replace(OUTCOMES, (lines) => lines.trimEnd().split("\n").sort().concat("").join("\n"));
}
