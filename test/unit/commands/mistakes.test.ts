import { join } from "node:path";
import type { Command } from "@oclif/core/command";
import { describe, expect, it } from "vitest";
import { bundleEntries } from "../../../scripts/entries.ts";
import { amongText } from "../../../src/commands/known-servers.ts";
import { declaredOf, noCommand, usageFailure } from "../../../src/commands/mistakes.ts";
import { insteadOf, OTHER_WORDS } from "../../../src/commands/other-words.ts";
import { EXIT } from "../../../src/model/exit-codes.ts";

const ROOT = join(import.meta.dirname, "../../..");

const commands = await Promise.all(
  Object.entries(bundleEntries(ROOT))
    .filter(([entry]) => entry.startsWith("commands/"))
    .map(async ([entry, source]) => {
      const { default: found } = (await import(join(ROOT, source))) as { default: typeof Command };
      const { args, flags, baseFlags } = found;
      const id = entry.slice("commands/".length).replaceAll("/", " ");
      return declaredOf({ id, args, flags: { ...baseFlags, ...flags } });
    }),
);

const servers = () => ["web", "db"];
const noneFor = (line: string) => noCommand(line.split(" "), { commands, servers });

function refusedFor(line: string, said: string) {
  const command = commands.find(({ id }) => `${line} `.startsWith(`${id} `));
  if (command === undefined) throw new Error(`no such command: ${line}`);
  const argv = line.split(" ").slice(command.id.split(" ").length);
  return usageFailure(new Error(`${said}\nSee more help with --help`), { command, argv, servers });
}

/** What a sentence says to type, without `xy`. */
const typed = (sentence: string) =>
  [...sentence.matchAll(/`xy ([^`]*)`/g)].map(([, line = ""]) => line.split(" "));

/** What is wrong with a command line that somebody is told to type. */
function faultOf(words: readonly string[]): string | undefined {
  const own = words.includes("--") ? words.slice(0, words.indexOf("--")) : words;
  if (own[0]?.startsWith("-")) return ["--help", "--version"].includes(own[0]) ? undefined : "no command";
  const found = commands.find(({ id }) => `${own.join(" ")} `.startsWith(`${id} `));
  if (found === undefined) return "no such command";
  const names = ["help", ...found.flags.map(({ name }) => name)];
  return own.find((word) => word.startsWith("--") && !names.includes(word.slice(2)));
}

describe("words that xy has no command for", () => {
  it.each([...OTHER_WORDS.entries()])("%s leads to commands that there are", (word, sentence) => {
    expect(commands.filter(({ id }) => id === word)).toEqual([]);
    expect(typed(sentence).map(faultOf).filter(Boolean)).toEqual([]);
    // Nobody is told to type what does not exist.
    expect(sentence).toMatch(/`|declare|nothing|agent\.log/);
    expect(noneFor(word)).toMatchObject({ code: EXIT.usage, message: expect.stringContaining(sentence) });
  });

  it.each([
    ["down", "`xy stop --all` stops the servers and holds them"],
    ["down web", "`xy destroy` removes them from xy"],
    ["rm web", "delete web from the configuration and run `xy apply`; `xy forget web`"],
    ["rm ../web", "delete NAME from the configuration"],
    ["RM web", "`xy forget web`"],
    ["delte web", "`xy forget web`"],
    ["job rm 4", "`xy job delete 4`"],
    ["agent restart", "`xy agent upgrade --force`"],
    ["down --json", 'there is no command "down": `xy stop --all`'],
  ])("xy %s: %s", (line, sentence) => {
    expect(noneFor(line).message).toContain(sentence);
  });

  it("nothing is found where the word only begins like one", () => {
    expect(insteadOf(["downwards"])).toBeUndefined();
    expect(insteadOf(["constructor"])).toBeUndefined();
    expect(insteadOf([])).toBeUndefined();
  });
});

describe("a command line without a command", () => {
  it.each([
    ["aply", 'there is no command "aply": did you mean `xy apply`?'],
    ["Plan", 'there is no command "Plan": did you mean `xy plan`?'],
    ["agent sttaus", 'there is no command "agent sttaus": did you mean `xy agent status`?'],
    ["zzzzzzzz web", 'there is no command "zzzzzzzz": run `xy --help` to see all'],
    ["job 3", 'there is no command "job 3": `xy job show 3` shows that job, `xy job logs 3` what it printed'],
    ["web restart", 'there is no command "web": write the command first: `xy restart web`'],
    ["web", 'there is no command "web": web is a server; `xy status web` shows it'],
    ["--json list", "cannot read --json before the command: type `xy list --json`"],
    ["-n 20 logs web", "cannot read -n before the command: type `xy logs web -n 20`"],
    ["--versoin", 'there is no command "--versoin": did you mean `xy --version`?'],
    ["--frobnicate", 'there is no command "--frobnicate": run `xy --help` to see all'],
  ])("xy %s", (line, message) => {
    const failure = noneFor(line);
    expect(failure.code).toBe(EXIT.usage);
    expect(failure.message).toContain(message);
    expect(typed(failure.message).map(faultOf).filter(Boolean)).toEqual([]);
  });
});

describe("names where a command takes none, or no more", () => {
  it.each([
    ["plan web", "cannot read web after `xy plan`: type `xy plan --only web`"],
    ["up web db", "type `xy up --only web --only db`"],
    ["reload web", "type `xy reload --only web`"],
    ["destroy web", "delete web from the configuration and run `xy apply`, or name a project with --project"],
    ["tree web", "type `xy tree` for all, or `xy status web`"],
    ["jobs web", "type `xy jobs --server web`"],
    ["agent stop web", "type `xy stop web`"],
    ["agent upgrade web", "type `xy agent upgrade` alone"],
    ["trust web", "type `xy trust --config PATH`"],
    ["plan it's", 'type `xy plan --only "it\'s"`'],
  ])("xy %s", (line, sentence) => {
    const { code, message } = noneFor(line);
    expect({ code, message }).toEqual({ code: EXIT.usage, message: expect.stringMatching(/^cannot /) });
    expect(message).toContain(sentence);
    expect(typed(message).map(faultOf).filter(Boolean)).toEqual([]);
  });

  it.each([
    ["apply web db", "db", "type `xy apply --only web --only db`"],
    ["emit systemd web", "web", "cannot read web after `xy emit systemd`: type `xy emit systemd --only web`"],
    ["url web db", "db", "cannot read db: `xy url` takes one name; type `xy url web`"],
    ["job cancel 3 4", "4", "`xy job cancel` takes one job; type `xy job cancel 3`"],
    ["rollback 3 4", "4", "type `xy rollback NUMBER` with one number of `xy history`"],
  ])("xy %s", (line, extra, sentence) => {
    const { message } = refusedFor(line, `Unexpected argument: ${extra}`);
    expect(message).toContain(sentence);
    expect(typed(message).map(faultOf).filter(Boolean)).toEqual([]);
  });
});

describe("wrong usage", () => {
  it.each([
    ["why", "Missing 1 required arg:\nname  Server", "type `xy why NAME`; there are web and db"],
    ["job logs", "Missing 1 required arg:\nid  Job number", "type `xy job logs NUMBER`"],
    ["emit", "Missing 1 required arg:\nmanager", "type `xy emit systemd`"],
    ["plan --only", "Flag --only expects a value", "type `xy plan --only NAME`"],
    [
      "rollback latest",
      "Expected an integer but received: latest",
      "type `xy rollback` for the generation before",
    ],
    ["job logs web", "Expected an integer but received: web", "or `xy logs web` for a server"],
    ["history x", "Expected an integer but received: x", "with a number of `xy history`"],
    [
      "init",
      "Expected --format=ts to be one of: typescript, kdl",
      "cannot use --format ts: did you mean typescript?",
    ],
    ["init", "Expected --format=x y to be one of: kdl, json", "cannot use --format 'x y': write kdl or json"],
    ["completion", "Expected tcsh to be one of: bash, zsh, fish", "cannot use tcsh: write bash, zsh or fish"],
    ["job show 3x", "Expected an integer but received: 3x", "type `xy job show NUMBER`"],
    ["emit web", "Expected web to be one of: systemd, launchd", "as in `xy emit systemd --only web`"],
    [
      "logs -n web",
      "Parsing --tail \n\tExpected an integer but received: web",
      "cannot read --tail web: write a whole number, such as --tail 20",
    ],
  ])("xy %s: %s", (line, said, sentence) => {
    const failure = refusedFor(line, said);
    expect(failure.code).toBe(EXIT.usage);
    expect(failure.message).toContain(sentence);
    expect(failure.lines).toHaveLength(1);
    expect(typed(failure.message).map(faultOf).filter(Boolean)).toEqual([]);
  });

  it.each([
    ["plan", "Nonexistent flag: --onyl", "Unknown flag: --onyl (did you mean --only?)"],
    ["plan", "Nonexistent flags: --onyl, --frob", "Unknown flag: --onyl (did you mean --only?), --frob"],
    ["logs", "Nonexistent flag: --lines", "Unknown flag: --lines (did you mean --tail?)"],
    ["jobs", "Nonexistent flag: -n", "Unknown flag: -n (did you mean --limit?)"],
    ["plan", "Nonexistent flag: -f", "Unknown flag: -f (did you mean --config?)"],
    ["plan", "Nonexistent flag: -x", "Unknown flag: -x"],
    [
      "stop",
      "Nonexistent flag: --force",
      "Unknown flag: --force (`xy kill NAME` ends one that does not stop)",
    ],
    ["destroy", "Nonexistent flag: --force", "Unknown flag: --force (did you mean --yes?)"],
    ["apply", "Nonexistent flag: --dry-run", "Unknown flag: --dry-run (`xy plan` shows what would change)"],
    ["plan", "Parsing --wait \n\tnot a duration", "--wait: not a duration"],
  ])("xy %s, %j: %s", (id, said, message) => {
    const failure = refusedFor(id, said);
    expect(failure.message).toBe(`${message}\nRun \`xy ${id} --help\` to see how it is used.`);
    expect(failure.code).toBe(EXIT.usage);
  });

  it.each([
    [[], ""],
    [["web"], "; there is web"],
    [["a", "b"], "; there are a and b"],
    [["a", "b", "c", "d", "e", "f", "g", "h"], "; there are a, b, c, d, e, f and 2 more"],
  ])("names %j", (names, text) => {
    expect(amongText(names)).toBe(text);
  });
});
