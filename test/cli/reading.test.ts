import { describe, expect, it } from "vitest";
import { LAUNCHER, newHome } from "./cli.ts";

const MOST = 1024 * 1024;
const repeated = (unit: string, most = MOST) => unit.repeat(Math.floor(most / unit.length));
const numbered = (line: (i: number) => string) => {
  let text = "";
  for (let i = 0; text.length < MOST - 200; i++) text += line(i);
  return text;
};

/** Of the largest size, and such that the parsers need seconds at the least. */
const LONG: Readonly<Record<string, string>> = {
  // Each of these begins a text of several lines that has no end, as far as the lexer sees.
  "xy.config.kdl": `a ${repeated('##"""x"## ', MOST - 100)}\n`,
  // For each alias the library looks at all anchors.
  "xy.config.yaml": numbered((i) => `a${i}: &a${i} x\nk${i}: *a${i}\n`),
  "xy.config.json": `[${repeated("1,", MOST - 100)}1]`,
  "xy.config.ts": "for (;;);",
};

/** Has Node say on stderr when a thread begins to run. */
const TELL = `
import { subscribe } from "node:diagnostics_channel";
subscribe("worker_threads", ({ worker }) => worker.once("online", () => process.stderr.write("a thread runs\\n")));`;

describe("a configuration that takes long to read", () => {
  it.each(
    Object.entries(LONG).flatMap(([file, text]) =>
      (["SIGINT", "SIGTERM"] as const).map((signal) => [file, signal, text] as const),
    ),
  )("in %s is given up on %s", async (file, signal, text) => {
    const home = newHome();
    home.trusts();
    home.write(file, text);
    const env = { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(TELL)}"` };
    const plan = home.start({ env }, process.execPath, LAUNCHER, "plan");
    await plan.prints("a thread runs");
    plan.child.kill(signal);
    const { code, stdout, stderr } = await plan.ended;
    expect({ code, stdout, stderr }).toEqual({
      code: signal === "SIGINT" ? 130 : 143,
      stdout: "",
      stderr: "a thread runs\n",
    });
  });
});
