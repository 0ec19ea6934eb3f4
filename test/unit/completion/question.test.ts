import { describe, expect, it } from "vitest";
import { linesOf } from "../../../src/completion/answer.ts";
import { questionIn } from "../../../src/completion/question.ts";
import { tableIn } from "../../../src/completion/table.ts";

const config = { type: "option", summary: "Where.", helpGroup: "GLOBAL" };
const MANIFEST = {
  stop: {
    strict: false,
    args: { name: {} },
    flags: {
      config,
      all: { type: "boolean", summary: "All." },
      wait: { type: "boolean", allowNo: true, summary: "Wait." },
      yes: { type: "boolean", char: "y", hidden: true },
    },
  },
  logs: {
    strict: false,
    args: { name: {} },
    flags: {
      config,
      tail: { type: "option", char: "n" },
      follow: { type: "boolean", char: "f" },
      stream: { type: "option", options: ["out", "err"] },
    },
  },
  plan: {
    strict: true,
    args: {},
    flags: {
      config,
      only: { type: "option", multiple: true },
      project: { type: "option" },
    },
  },
  run: { strict: false, args: { action: {} }, flags: { detach: { type: "boolean", char: "d" } } },
  emit: {
    strict: true,
    args: { manager: { options: ["systemd", "launchd"] } },
    flags: {
      state: { type: "option", multiple: true },
      with: { type: "option", helpValue: "one,two,three" },
    },
  },
  list: { strict: true, aliases: ["ls"], args: {}, flags: {}, summary: "List." },
  "job:show": { strict: true, args: { id: {} }, flags: {}, summary: "Show one." },
  "job:cancel": { strict: true, args: { id: {} }, flags: {} },
  secret: { strict: true, args: {}, flags: {}, hidden: true },
};
const table = tableIn(
  JSON.stringify({ commands: MANIFEST }),
  JSON.stringify({ oclif: { topics: { job: { description: "One job." } } } }),
);

const asked = (...words: string[]) => questionIn(table, words);
/** The kind that is wanted, or the candidates. */
function wanted(...words: string[]): unknown {
  const { wanted } = asked(...words);
  return typeof wanted === "string" ? wanted : wanted.map(({ value }) => value);
}

describe("what the word under the cursor could be", () => {
  it("is the next of a list with commas", () => {
    expect(asked("emit", "--state", "running,fa")).toMatchObject({
      ...{ before: "running,", typed: "fa", wanted: "states" },
      taken: expect.arrayContaining(["running"]),
    });
    expect(asked("emit", "--state=fa")).toMatchObject({ before: "--state=", typed: "fa", wanted: "states" });
    expect(wanted("emit", "--with", "")).toEqual(["one", "two", "three"]);
    const more = asked("emit", "--with=one,t");
    expect(more).toMatchObject({ before: "--with=one,", typed: "t", taken: expect.arrayContaining(["one"]) });
  });

  it("is a command, then the rest of its name", () => {
    expect(wanted("")).toEqual(["emit", "job", "list", "logs", "plan", "run", "stop", "help"]);
    expect(wanted("job", "")).toEqual(["cancel", "show"]);
    expect(wanted("help", "job", "")).toEqual(["cancel", "show"]);
    expect(wanted("nothing", "")).toEqual([]);
    expect(wanted("--")).toEqual(["--help", "--version"]);
    expect(asked("").wanted).toContainEqual({ value: "job", about: "One job." });
  });

  it("is an argument, one or many", () => {
    expect(wanted("stop", "")).toBe("server");
    expect(asked("stop", "a", "--all", "b", "")).toMatchObject({ wanted: "server", taken: ["a", "b"] });
    expect(wanted("job", "show", "")).toBe("job");
    expect(wanted("job", "cancel", "")).toBe("open job");
    expect(wanted("job", "show", "7", "")).toEqual(["--help"]);
    expect(wanted("emit", "")).toEqual(["systemd", "launchd"]);
    expect(wanted("ls", "-")).toEqual(["--help"]);
  });

  it("is a flag that can still be given, those for all commands last", () => {
    expect(wanted("stop", "-")).toEqual(["--all", "--wait", "--no-wait", "--config", "--help"]);
    expect(wanted("stop", "--no-wait", "--all", "-")).toEqual(["--config", "--help"]);
    expect(wanted("plan", "--only", "a", "-")).toContain("--only");
    expect(wanted("plan", "--project", "a", "")).toEqual(["--only", "--config", "--help"]);
  });

  it("is a flag's value, behind a blank or =", () => {
    expect(wanted("logs", "--stream", "")).toEqual(["out", "err"]);
    expect(asked("logs", "--stream=o")).toMatchObject({ before: "--stream=", typed: "o" });
    expect(asked("plan", "--only", "a", "--only", "")).toMatchObject({ wanted: "selection", taken: ["a"] });
    expect(wanted("logs", "-n", "")).toBe("text");
    expect(wanted("logs", "-fn", "")).toBe("text");
    expect(wanted("logs", "-n20", "")).toBe("server");
    expect(wanted("logs", "--follow=")).toEqual([]);
    expect(wanted("logs", "--unknown=", "")).toBe("server");
    expect(asked("plan", "--config", "~/x", "--project", "p", "--only", "")).toMatchObject({
      config: "~/x",
      project: "p",
    });
  });

  it("is the shell's, after --", () => {
    expect(wanted("run", "--", "")).toBe("program");
    expect(wanted("run", "--", "ls", "--")).toBe("program");
    expect(wanted("run", "backup", "")).toBe("text");
    expect(wanted("stop", "--", "")).toBe("server");
    expect(wanted("plan", "--config", "")).toBe("file");
  });
});

describe("what is answered", () => {
  const question = { ...asked("stop", ""), typed: "w", taken: ["worker"] };
  const all = ["web", "worker", "api"].map((value) => ({ value, about: `about ${value}` }));

  it("is what fits in bash, and everything for shells that look themselves", () => {
    expect(linesOf(question, all, "bash")).toBe(":names\nweb\t\n");
    expect(linesOf(question, all, "fish")).toBe(":names\nweb\tabout web\napi\tabout api\n");
  });

  it("never is more than a word, or a line", () => {
    const odd = [
      "$(touch x)",
      "`x`",
      "a b",
      "a\nb",
      "a;b",
      "a'b",
      'a"b',
      "a\\b",
      "~a",
      "!a",
      "{a,b}",
      "a*",
      "",
      "a\tb",
      "<a",
      "#a",
    ];
    const candidates = odd.map((value) => ({ value }));
    expect(linesOf({ ...question, typed: "" }, candidates, "zsh")).toBe(":names\n");
    const told = linesOf({ ...question, typed: "" }, [{ value: "web", about: "a\nb\t\u001b[2J$(x)" }], "zsh");
    expect(told).toBe(":names\nweb\ta\\nb\\t\\u{1b}[2J$(x)\n");
  });

  it("is bounded", () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({ value: `w${i}`, about: "x".repeat(1000) }));
    const lines = linesOf(question, many, "zsh").split("\n");
    expect(lines.length).toBeLessThan(510);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(120);
  });
});
