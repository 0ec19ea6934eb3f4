import type { Diagnosis, Finding, Severity } from "../model/finding.ts";
import { visible } from "../model/visible.ts";
import { type Paint, painter, type Screen, type Style } from "./screen.ts";
import { displayWidth, padEnd, wrap, wrapHard } from "./width.ts";

/** What a line begins with. Words, so that they can be read without colours and in any locale. */
const WORDS: Readonly<Record<Severity | "ok" | "skipped", readonly [word: string, style: Style]>> = {
  ok: ["ok", "green"],
  skipped: ["-", "dim"],
  note: ["note", "cyan"],
  warning: ["warn", "yellow"],
  error: ["FAIL", "red"],
};
const WORD_WIDTH = 4;
const GAP = "  ";
const INDENT = " ".repeat(WORD_WIDTH + GAP.length);
/** Of a text, where nothing says how wide the screen is. */
const USUAL_WIDTH = 100;

const RANK: readonly Severity[] = ["error", "warning", "note"];

/** A line for each check, what it found below that, and what it comes to, with a newline at the end. */
export function doctorView(diagnoses: readonly Diagnosis[], screen: Screen): string {
  const paint = painter(screen);
  const width = Math.max(0, ...diagnoses.map(({ title }) => displayWidth(visible(title))));
  const blocks = diagnoses.flatMap((one) => blockOf(one, width, screen, paint));
  return `${[...blocks, "", totals(diagnoses, paint)].join("\n")}\n`;
}

function blockOf(
  { title, summary, skipped, findings }: Diagnosis,
  width: number,
  screen: Screen,
  paint: Paint,
): string[] {
  const worst =
    RANK.find((rank) => findings.some(({ severity }) => severity === rank)) ?? (skipped ? "skipped" : "ok");
  const heading = padEnd(visible(title), width);
  const room = screen.width && Math.max(8, screen.width - INDENT.length - width - GAP.length);
  const [first = "", ...further] = wrapHard(shown(summary, screen), room).split("\n");
  const line = `${word(worst, paint)}${GAP}${paint("bold", heading)}${GAP}${first}`;
  const below = " ".repeat(INDENT.length + width + GAP.length);
  const sorted = [...findings].sort((a, b) => RANK.indexOf(a.severity) - RANK.indexOf(b.severity));
  return [
    line,
    ...further.map((more) => below + more),
    ...sorted.flatMap((finding) => findingLines(finding, screen, paint)),
  ];
}

function word(of: keyof typeof WORDS, paint: Paint): string {
  const [text, style] = WORDS[of];
  return paint(style, padEnd(text, WORD_WIDTH));
}

/** What it is, why it matters, and the command, which is never broken: it is there to be copied. */
function findingLines({ severity, what, why, mend }: Finding, screen: Screen, paint: Paint): string[] {
  const room = Math.max(20, (screen.width ?? USUAL_WIDTH) - INDENT.length - INDENT.length);
  const [first = "", ...rest] = wrap(shown(what, screen), room).split("\n");
  const [label, style] = WORDS[severity];
  const reason = wrap(shown(why, screen), room).split("\n");
  return [
    `${INDENT}${paint(style, padEnd(label, WORD_WIDTH))}${GAP}${first}`,
    ...rest.map((line) => `${INDENT}${INDENT}${line}`),
    ...reason.map((line) => `${INDENT}${INDENT}${paint("dim", line)}`),
    ...(mend === null ? [] : [`${INDENT}${INDENT}${paint("bold", `$ ${typed(mend, screen)}`)}`]),
  ];
}

/** With each path that is a word of its own as short as it can be. */
function shown(text: string, { shorten = (path) => path }: Screen): string {
  return visible(text).replace(/(?<=^|[\s(])\/[^\s,;:()`]+/g, (path) => shorten(path));
}

/** Only the home folder is shortened: the command works wherever it is pasted. */
function typed(command: string, { shorten = (path) => path }: Screen): string {
  return visible(command).replace(/(?<=[ =])\/[\w@%+=:,./~-]+(?= |;|$)/g, (path) => {
    const short = shorten(path);
    return short.startsWith("~/") ? short : path;
  });
}

function totals(diagnoses: readonly Diagnosis[], paint: Paint): string {
  const count = (severity: Severity) =>
    diagnoses.flatMap(({ findings }) => findings).filter((one) => one.severity === severity).length;
  const [errors, warnings, notes] = RANK.map(count) as [number, number, number];
  const parts = [
    ...(errors > 0 ? [paint("red", plural(errors, "error"))] : []),
    ...(warnings > 0 ? [paint("yellow", plural(warnings, "warning"))] : []),
    ...(notes > 0 ? [plural(notes, "note")] : []),
  ];
  if (parts.length === 0) return "Nothing is wrong.";
  return `${errors === 0 ? "Nothing is broken: " : "Found "}${parts.join(", ")}.`;
}

const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
