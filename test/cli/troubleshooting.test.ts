import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RENEWS } from "../rig/kept-screen.ts";
import { SHOWN_HOME, settled } from "../rig/masks.ts";
import { rowsOf, textOfRows } from "../rig/terminal-rows.ts";
import { releasedVersion } from "../rig/versions.ts";
import { type Home, homesInTurn, newHome, takenPort } from "./cli.ts";
import { type Step, stepsOf } from "./transcript.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = join(ROOT, "docs/troubleshooting.md");
const COLUMNS = 80;
const OLD_AGENT = "The agent is older than xy";

interface Mistake {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** The parts of the page that have a session. */
function mistakesOf(page: string): Mistake[] {
  const parts = page.split(/^### /m).slice(1);
  return parts.map((part) => ({ title: part.slice(0, part.indexOf("\n")), steps: stepsOf(part) }));
}

const mistakes = mistakesOf(readFileSync(PAGE, "utf8"));

/** A wait of some seconds for what never comes: these run side by side. */
const isLong = ({ steps }: Mistake) => steps.some(({ command }) => command.includes("--wait-timeout"));

/** What the page does not show, because it is said in words, or stands for programs that people have. */
const BEFORE: Readonly<Record<string, (home: Home) => unknown>> = {
  "Another program has the port": () => takenPort(28421),
  "Others can write to the folder": (home) => home.declare("web"),
  "The server listens on another port": (home) => home.write("notes.mjs", answering(28424)),
  "The server speaks over stdin and stdout": withPackages,
  "The server has MCP at another path": (home) => home.write("notes.mjs", answering(28425)),
  "`xy plan` takes no names": (home) => home.declare("web"),
  "The name is misspelt": appliedWeb,
  "There is no terminal to ask on": (home) => home.declare("web"),
  "A server that you stopped stays stopped": appliedWeb,
  [OLD_AGENT]: startOldAgent,
};

/** A server that knows no path. */
const answering = (port: number) => `import { createServer } from "node:http";
createServer((_, answer) => answer.writeHead(404).end()).listen(${port}, "127.0.0.1");
`;

async function startOldAgent(home: Home): Promise<void> {
  const folder = releasedVersion(join(home.path, "old"));
  const manifest = join(folder, "package.json");
  writeFileSync(manifest, readFileSync(manifest, "utf8").replace(/"version": "[^"]*"/, '"version": "0.0.9"'));
  const { code } = await home.start({}, process.execPath, join(folder, "bin/xy.js"), "agent", "start").ended;
  expect(code).toBe(0);
}

async function appliedWeb(home: Home): Promise<void> {
  home.declare("web");
  await home.did("apply", "--yes");
}

async function withPackages(home: Home): Promise<void> {
  home.write(join(home.path, ".npmrc"), "offline=true\nupdate-notifier=false\nfund=false\n");
  await home.shell(`ln -s '${ROOT}/node_modules' node_modules`);
}

describe.runIf(process.platform === "linux")("docs/troubleshooting.md", () => {
  const homes = homesInTurn();

  it("has twenty mistakes at least", () => {
    expect(mistakes.length).toBeGreaterThanOrEqual(20);
    const titles = mistakes.map(({ title }) => title);
    expect(Object.keys(BEFORE).filter((title) => !titles.includes(title))).toEqual([]);
  });

  it.each(mistakes.filter((mistake) => !isLong(mistake)))("answers as the terminal does: $title", (mistake) =>
    expectAnswers(mistake.title === OLD_AGENT ? newHome() : homes(), mistake),
  );

  it("answers as the terminal does when a server does not get ready", async () => {
    await Promise.all(mistakes.filter(isLong).map((mistake) => expectAnswers(newHome(), mistake)));
  });
});

async function expectAnswers(home: Home, { title, steps }: Mistake): Promise<void> {
  await BEFORE[title]?.(home);
  const shown: string[] = [];
  for (const step of steps) shown.push((await typed(home, step)) ?? step.output);
  const [is, was] = [shown, steps.map(({ output }) => output)].map((outputs) => outputs.map(settled));
  if (RENEWS && JSON.stringify(is) !== JSON.stringify(was)) renew(title, steps, shown);
  else expect(is).toEqual(was);
}

/** Puts what the terminal shows into the part of the page with this title. */
function renew(title: string, steps: readonly Step[], shown: readonly string[]): void {
  let page = readFileSync(PAGE, "utf8");
  let at = page.indexOf(`### ${title}\n`);
  for (const [i, { command, output }] of steps.entries()) {
    const start = page.indexOf(`$ ${command}\n`, at) + `$ ${command}\n`.length;
    const end = start + (output === "" ? 0 : output.length + 1);
    const lines = shown[i] === "" ? "" : `${shown[i]}\n`;
    page = `${page.slice(0, start)}${lines}${page.slice(end)}`;
    at = start;
  }
  writeFileSync(PAGE, page);
  console.log(`wrote docs/troubleshooting.md: ${title}`);
}

/** What the terminal shows. Undefined: it is a file that is written, or a command that only prepares. */
async function typed(home: Home, { command, output }: Step): Promise<string | undefined> {
  const [, file] = /^cat (\S+)$/.exec(command) ?? [];
  if (file !== undefined) {
    home.write(file, `${output}\n`);
    return undefined;
  }
  if (!command.startsWith("xy ")) {
    expect(command).toMatch(/^chmod /);
    await home.shell(command);
    return undefined;
  }
  const where = { columns: COLUMNS, env: { NO_COLOR: "1" } };
  // What a shell does with it has to be done to a process.
  const isAlone = /[<>|]/.test(command);
  const printed = isAlone
    ? (await home.terminal(command, where).ended).stdout
    : await home.typed(command, where);
  const rows = await rowsOf(printed, COLUMNS);
  const text = textOfRows(rows);
  const broken = rows.filter(({ isBroken }, i) => isBroken && isInWord(rows, i));
  if (!RENEWS) expect(broken, text).toEqual([]);
  else if (broken.length > 0) console.log(`${command}: a word is broken:\n${text}`);
  return text.replaceAll(home.path, SHOWN_HOME);
}

/** A word that is no longer than a row, and begins in the one before. */
function isInWord(rows: readonly { pieces: readonly { text: string }[] }[], i: number): boolean {
  const [before, after] = [rows[i - 1], rows[i]].map((row) =>
    (row?.pieces ?? []).map(({ text }) => text).join(""),
  );
  const word = `${/\S*$/.exec(before ?? "")?.[0]}${/^\S*/.exec(after ?? "")?.[0]}`;
  return /\S$/.test(before ?? "") && /^\S/.test(after ?? "") && word.length < COLUMNS;
}
