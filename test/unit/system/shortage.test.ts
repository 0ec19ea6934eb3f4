import * as fs from "node:fs";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { failureText } from "../../../src/system/shortage.ts";

function errorOf(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("it works");
}

describe("what a call to the system could not do", () => {
  it("is told with its file and the reason, and with the code in brackets", () => {
    expect(failureText(errorOf(() => fs.readFileSync("/nowhere/x")))).toBe(
      "cannot open /nowhere/x: no such file or directory (ENOENT)",
    );
    expect(failureText(errorOf(() => fs.mkdirSync("/dev/null/x")))).toBe(
      "cannot make the folder /dev/null/x: not a directory (ENOTDIR)",
    );
  });

  it("names the state folder where the file was open", () => {
    const full = fs.openSync("/dev/full", "w");
    expect(failureText(errorOf(() => fs.writeSync(full, "x")))).toBe(
      "cannot write in the state folder: no space left on device (ENOSPC)",
    );
    fs.closeSync(full);
  });

  it("is what any other error says", async () => {
    const refused = await new Promise((resolve) => connect({ path: "/nowhere/x" }).once("error", resolve));
    expect(failureText(refused)).toBe((refused as Error).message);
    expect(failureText(new Error("no"))).toBe("no");
    expect(failureText("no")).toBe("no");
  });
});
