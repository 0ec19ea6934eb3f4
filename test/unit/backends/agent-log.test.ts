import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { LogSince } from "../../../src/backends/agent/process.ts";

const AGAIN = "2026-11-28T18:56:18.000Z the agent ended with 1: it is started again in 0.05 s";
const TORN = `file:///state/agent.programs/0.1.0-1/dist/agent.js:812
  const x = (
            ^

SyntaxError: Unexpected end of input
    at compileSourceTextModule (node:internal/modules/esm/utils:346:16)

Node.js v20.20.0`;

test.for([
  [[TORN, AGAIN], "file:///state/agent.programs/0.1.0-1/dist/agent.js: SyntaxError: Unexpected end of input"],
  [
    ["2026-11-28T18:56:18.000Z cannot bind a socket: it is too long", AGAIN],
    "cannot bind a socket: it is too long",
  ],
  [["/x/agent.sh: 58: /old/node: not found", AGAIN], "/x/agent.sh: 58: /old/node: not found"],
  [
    ["2026-11-28T18:56:18.000Z the copy of the agent is damaged or gone: /x/agent.js", TORN, AGAIN],
    "the copy of the agent is damaged or gone: /x/agent.js (file:///state/agent.programs/0.1.0-1/dist/agent.js: SyntaxError: Unexpected end of input)",
  ],
] as const)("why an agent does not come up is its own reason: %#", ([lines, reason]) => {
  const folder = fs.mkdtempSync(join(tmpdir(), "log-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  const path = join(folder, "agent.log");
  fs.writeFileSync(path, "2026-11-28T18:00:00.000Z Error: of earlier, and näher\n");
  const log = new LogSince(path);
  expect(log.ends()).toBe(0);
  fs.appendFileSync(path, `${lines.join("\n")}\n`);
  expect(log.lastWords()).toBe(reason);
  expect(log.ends()).toBe(1);
});
