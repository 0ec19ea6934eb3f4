import { describe, expect, it } from "vitest";
import { mayColour } from "../../../src/commands/base.ts";

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
