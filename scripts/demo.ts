/**
 * Plays a session with two real MCP servers in a home of its own, prints what a person would type and see, and checks
 * that every step did what it should. Leaves nothing behind; two demos can run at once.
 */
import { spawn } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { killProcessesOf, processesOf } from "./processes-of.ts";

const ROOT = join(import.meta.dirname, "..");
/** Longest run of one command, ms. */
const COMMAND_BOUND = 60_000;
/** Longest wait for an answer from a server, ms. */
const ANSWER_BOUND = 10_000;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
}

interface Listed {
  readonly name: string;
  readonly state: string;
  readonly pid?: number;
  readonly port: number | null;
  readonly ready: boolean | null;
}

interface Planned {
  readonly changes: readonly { readonly server: string; readonly action: string }[];
}

interface Logged {
  readonly name: string;
}

class DemoFailure extends Error {}

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new DemoFailure(what);
}

/** A folder that serves as home, temporary folder and runtime folder of everything that runs in it. */
class Demo {
  // Short, and not below $TMPDIR: the agent's socket is in it, and its path may have about 100 bytes.
  readonly home = mkdtempSync("/tmp/xy-demo-");
  /** Its name is the project's, and determines the ports: another demo has others. */
  readonly project = mkdtempSync(join(this.home, "demo-"));
  readonly #interrupted = new AbortController();

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => this.#interrupted.abort(new DemoFailure(`interrupted by ${signal}`)));
    }
    cpSync(join(ROOT, "servers.d"), join(this.project, "servers.d"), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(this.project, "node_modules"));
  }

  async play(): Promise<void> {
    await this.#xy("check");
    await this.#xy("plan");
    const planned = await this.#planned();
    check(planned.everything === "add" && planned.memory === "add", "the first plan should add both servers");
    await this.#xy("apply", "--yes");
    const before = await this.#servers();
    await this.#xy("list");
    for (const server of before) await greet(server);

    this.#append("servers.d/everything.kdl", 'umask "077"');
    await this.#xy("plan");
    const changed = await this.#planned();
    check(changed.everything === "restart" && changed.memory === "none", "one server should change");
    await this.#xy("apply", "--yes");
    const after = await this.#servers();
    const kept = (name: string) =>
      before.find((one) => one.name === name)?.pid === after.find((one) => one.name === name)?.pid;
    check(!kept("everything"), "the changed server should have been restarted");
    check(kept("memory"), "the other server should have been left alone");
    for (const server of after) await greet(server);
    // Exits with another code if anything is left to do.
    await this.#xy("plan", "--detailed-exitcode");

    await this.#xy("logs", "everything", "memory", "--tail", "2");
    const logged = await this.#logged();
    check(logged.has("everything") && logged.has("memory"), "both should have a log");
    await this.#xy("destroy", "--yes");
    await this.#xy("agent", "stop");
    check(processesOf(this.home).length === 0, `processes are left:\n${processesOf(this.home).join("\n")}`);
  }

  /** Ends what still runs, whatever state a failure left it in, and removes the home. */
  async close(): Promise<void> {
    if (processesOf(this.home).length > 0) await this.#run(["agent", "stop"], false).catch(() => undefined);
    killProcessesOf(this.home);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }

  async #servers(): Promise<readonly Listed[]> {
    const servers: Listed[] = JSON.parse((await this.#run(["list", "--json"], false)).stdout);
    check(servers.length === 2, "both servers should be listed");
    for (const { name, state, ready } of servers) {
      check(state === "running" && ready === true, `${name} should run and be ready, and is ${state}`);
    }
    return servers;
  }

  /** What the plan would do with each server, by its name. */
  async #planned(): Promise<Readonly<Record<string, string>>> {
    const plan: Planned = JSON.parse((await this.#run(["plan", "--json"], false)).stdout);
    return Object.fromEntries(plan.changes.map(({ server, action }) => [server, action]));
  }

  /** The servers that have logged something. */
  async #logged(): Promise<ReadonlySet<string>> {
    const { stdout } = await this.#run(["logs", "everything", "memory", "--tail", "2", "--json"], false);
    const lines: Logged[] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    return new Set(lines.map(({ name }) => name));
  }

  /** Types a command, which must succeed. Its output is for people; nothing depends on it. */
  async #xy(...args: string[]): Promise<void> {
    process.stdout.write(`\n$ xy ${args.join(" ")}\n`);
    const outcome = await this.#run(args, true);
    check(outcome.code === 0, `xy ${args.join(" ")} ended with ${outcome.code}`);
  }

  #append(file: string, line: string): void {
    process.stdout.write(`\n$ echo '${line}' >> ${file}\n`);
    appendFileSync(join(this.project, file), `${line}\n`);
  }

  #run(args: readonly string[], shown: boolean): Promise<Outcome> {
    const colour = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: "1" } : {};
    const child = spawn(process.execPath, [join(ROOT, "bin/xy.js"), ...args], {
      cwd: this.project,
      env: { PATH: process.env.PATH, HOME: this.home, ...colour },
      stdio: ["ignore", "pipe", shown ? "inherit" : "pipe"],
      timeout: COMMAND_BOUND,
      ...(shown ? { signal: this.#interrupted.signal } : {}),
    });
    let stdout = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (shown) process.stdout.write(text);
    });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code: code ?? 1, stdout }));
    });
  }
}

/** An MCP client's first request: the server must answer with its name. */
async function greet({ name, port }: Listed): Promise<void> {
  const url = `http://127.0.0.1:${port}/mcp`;
  const params = {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "xy-demo", version: "1" },
  };
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }),
    signal: AbortSignal.timeout(ANSWER_BOUND),
  });
  const said = /"serverInfo":\{"name":"([^"]+)"/.exec(await firstMessage(answer))?.[1];
  check(answer.ok && said !== undefined, `${name} should answer an MCP initialize at ${url}`);
  process.stdout.write(`\n# ${url} answers an MCP initialize: ${said}\n`);
}

/** The body up to the answer; an event stream may stay open after it. */
async function firstMessage(answer: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('"serverInfo"') && text.includes("\n")) break;
    if (text.endsWith("}")) break;
  }
  return text;
}

const began = performance.now();
const demo = new Demo();
try {
  await demo.play();
} catch (error) {
  process.exitCode = 1;
  const expected = error instanceof DemoFailure || (error as Error).name === "AbortError";
  console.error(`\ndemo: failed: ${expected ? (error as Error).message : (error as Error).stack}`);
} finally {
  await demo.close();
}
if (!process.exitCode) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(`\nThe demo went as it should, in ${seconds} s. Nothing of it is left.\n`);
}
