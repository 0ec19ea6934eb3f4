import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { freePort } from "./port.ts";

const XY = join(import.meta.dirname, "../../bin/xy.js");

/** An `xy bridge` of its own, until the test is over. */
export interface BridgeProgram {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<number | string>;
}

export interface HowToRun {
  readonly env?: Record<string, string>;
  /** Options of node. */
  readonly node?: readonly string[];
}

export function runBridge(words: readonly string[], { env = {}, node = [] }: HowToRun = {}): BridgeProgram {
  const child = spawn(process.execPath, [...node, XY, "bridge", ...words], {
    env: { ...process.env, ...env },
  });
  // As it would be ended by whoever runs it, so that nothing of its children is left for a moment.
  onTestFinished(() => {
    child.kill("SIGTERM");
    return ended.then(() => {});
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => (said += text));
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  return { child, said: () => said, ended };
}

/** The same once it serves. `words`: its flags, without the port, and its command behind `--`. */
export async function servingBridge(
  words: readonly string[],
  how?: HowToRun,
  given?: number,
): Promise<BridgeProgram & { port: number }> {
  const port = given ?? (await freePort());
  const bridge = runBridge(["--port", `${port}`, ...words], how);
  await eventually(() => expect(bridge.said()).toContain(`serves at http://127.0.0.1:${port}/mcp`));
  return { ...bridge, port };
}
