import { describe, expect, it } from "vitest";
import { mayColour } from "../../../src/commands/base.ts";
import { usageFailure } from "../../../src/commands/failure.ts";
import { EXIT } from "../../../src/model/exit-codes.ts";

describe("colours", () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ TERM: "dumb" }, true, false],
    [{ NO_COLOR: "1" }, true, false],
    [{ NO_COLOR: "" }, true, true],
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
    [{ FORCE_COLOR: "1", TERM: "dumb" }, false, true],
    [{ FORCE_COLOR: "0" }, true, false],
  ])("with %j on a terminal (%s): %s", (env, terminal, expected) => {
    expect(mayColour(env, terminal)).toBe(expected);
  });
});

describe("wrong usage", () => {
  const known = { command: "xy plan", flags: ["only", "strict"] };

  it.each([
    ["Nonexistent flag: --onyl\nSee more help with --help", "Unknown flag: --onyl (did you mean --only?)"],
    ["Nonexistent flags: --onyl, --frobnicate", "Unknown flag: --onyl (did you mean --only?), --frobnicate"],
    ["Unexpected argument: b\nSee more help with --help", "Unexpected argument: b"],
    ["Parsing --wait \n\tnot a duration\nSee more help with --help", "--wait: not a duration"],
  ])("says of %j: %s", (said, message) => {
    const failure = usageFailure(new Error(said), known);
    expect(failure.message).toBe(`${message}\nRun \`xy plan --help\` to see how it is used.`);
    expect(failure.code).toBe(EXIT.usage);
  });
});
