import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { cpuMs, type Figure, figure, privateMib, until } from "../measure.ts";
import type { Bench, Row } from "../row.ts";

/** What a call costs through a bridge from stdio to HTTP: xy's, two others, and without any. */

const MODULES = join(import.meta.dirname, "../../node_modules");
const XY = join(import.meta.dirname, "../../bin/bridge.cjs");
const SERVER = join(MODULES, "@modelcontextprotocol/server-everything/dist/index.js");
/** Calls of one round: one after another, and so many at once. */
const CALLS = 400;
const AT_ONCE = 20;
/** For the memory of one start. */
const STARTS = 5;
/** A light client: all that it takes is a connection and a line. */
const BARE =
  'import { createServer } from "node:http"; createServer((_, a) => a.end("hello")).listen(PORT, "127.0.0.1");';

const PEERS = {
  xy: (port: number) => [XY, `--port=${port}`, "--", process.execPath, SERVER, "stdio"],
  "mcp-proxy": (port: number) => [
    ...[join(MODULES, "mcp-proxy/dist/bin/mcp-proxy.mjs"), "--host", "127.0.0.1", "--port", `${port}`],
    ...["--", process.execPath, SERVER, "stdio"],
  ],
  "supergateway --stateful": (port: number) => [
    ...[join(MODULES, "supergateway/dist/index.js"), "--stdio", `${process.execPath} ${SERVER} stdio`],
    ...["--port", `${port}`, "--outputTransport", "streamableHttp", "--stateful"],
  ],
} as const;
type Name = keyof typeof PEERS;

const initialize = {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "bench", version: "1" },
};

/** One that calls a tool. `pid`: the bridge between, if there is one. */
interface Caller {
  readonly pid?: number | undefined;
  readonly call: () => Promise<void>;
  /** Private memory when it served, before its first client, MiB. */
  readonly mib: number;
  readonly end: () => void;
}

export async function bridge(bench: Bench): Promise<Row[]> {
  const names = Object.keys(PEERS) as Name[];
  const callers = new Map<Name | "directly", Caller>([["directly", await directly(bench)]]);
  for (const name of names) callers.set(name, await through(bench, PEERS[name]));
  const bare = (port: number) => ["--input-type=module", "-e", BARE.replace("PORT", `${port}`)];
  const rests = { bare: await rest(bench, bare), xy: await rest(bench, PEERS.xy) };
  const seen = new Map([...callers.keys()].map((name) => [name, { one: [], many: [], cpu: [] } as Seen]));
  for (let round = -1; round < bench.rounds; round++) {
    bench.note(`bridge: round ${round + 1} of ${bench.rounds}`);
    for (const [name, caller] of callers) {
      const before = caller.pid === undefined ? 0 : cpuMs([caller.pid]);
      const one = await rate(caller, 1);
      const many = await rate(caller, AT_ONCE);
      const cpu = caller.pid === undefined ? 0 : (cpuMs([caller.pid]) - before) / (2 * CALLS);
      if (round < 0) continue;
      const of = seen.get(name) as Seen;
      of.one.push(one);
      of.many.push(many);
      of.cpu.push(cpu);
    }
  }
  const after = new Map(
    [...callers].map(([name, { pid }]) => [name, pid === undefined ? 0 : privateMib(pid)]),
  );
  for (const { end } of callers.values()) end();
  return rows(callers, seen, after, rests);
}

interface Seen {
  readonly one: number[];
  readonly many: number[];
  readonly cpu: number[];
}

function rows(
  callers: ReadonlyMap<Name | "directly", Caller>,
  seen: ReadonlyMap<Name | "directly", Seen>,
  after: ReadonlyMap<Name | "directly", number>,
  rests: { readonly bare: number; readonly xy: number },
): Row[] {
  const others = ["mcp-proxy", "supergateway --stateful"] as const;
  const row = (
    measure: string,
    goal: string,
    of: (name: Name | "directly") => Figure,
    text: (value: Figure) => string,
    isMoreBetter: boolean,
    more: readonly string[],
  ): Row => {
    const best = Math[isMoreBetter ? "max" : "min"](...others.map((name) => of(name).median));
    const ratio = of("xy").median / best;
    return {
      ...{ measure, goal, xy: text(of("xy")) },
      others: [...others.map((name) => `${name} ${text(of(name))}`), ...more],
      ratio: `${ratio.toFixed(2)} ×`,
      isReached: isMoreBetter ? ratio > 1 : ratio < 1,
    };
  };
  const figures = (column: keyof Seen) => (name: Name | "directly") => figure(seen.get(name)?.[column] ?? []);
  const rates = ({ median, spread: [low, high] }: Figure) =>
    `${count(median)} (${count(low)} to ${count(high)})`;
  const cpu = ({ median, spread: [low, high] }: Figure) =>
    `${median.toFixed(2)} ms (${low.toFixed(2)} to ${high.toFixed(2)})`;
  const mib = ({ median }: Figure) => `${median.toFixed(1)} MiB`;
  const one = figures("one");
  const many = figures("many");
  const atRest = (name: Name | "directly") =>
    figure([name === "xy" ? rests.xy : (callers.get(name)?.mib ?? Number.NaN)]);
  const over = rests.xy - rests.bare;
  const memory = row(
    "private memory of a bridge that serves, before its first client",
    "< both others; ≤ 2 MB over a bare Node that listens",
    atRest,
    mib,
    false,
    [`floor: bare node that listens ${rests.bare.toFixed(1)} MiB`],
  );
  return [
    row("tool calls a second through a bridge, one after another", "> both others", one, rates, true, [
      `directly ${rates(one("directly"))}`,
    ]),
    row(`the same, ${AT_ONCE} at once`, "> both others", many, rates, true, [
      `directly ${rates(many("directly"))}`,
    ]),
    row("CPU of the bridge for a call", "< both others", figures("cpu"), cpu, false, []),
    {
      ...memory,
      xy: `${memory.xy}, ${((over * 2 ** 20) / 1e6).toFixed(2)} MB over the floor`,
      isReached: memory.isReached && over * 2 ** 20 <= 2e6,
    },
    row(
      "private memory of a bridge after all of these calls",
      "< both others",
      (name) => figure([after.get(name) ?? Number.NaN]),
      mib,
      false,
      [],
    ),
  ];
}

const count = (value: number) => Math.round(value).toLocaleString("en-GB");

/** Calls a second. */
async function rate({ call }: Caller, atOnce: number): Promise<number> {
  let left = CALLS;
  const began = process.hrtime.bigint();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await call();
    }),
  );
  return CALLS / (Number(process.hrtime.bigint() - began) / 1e9);
}

/** A bridge, and a client that has one session with it. */
async function through(bench: Bench, args: (port: number) => readonly string[]): Promise<Caller> {
  let port = 0;
  const child = await served(bench, (given) => {
    port = given;
    return args(given);
  });
  const mib = privateMib(child.pid as number);
  const agent = new Agent({ keepAlive: true });
  let session: string | undefined;
  let id = 0;
  const post = (message: object) =>
    new Promise<string>((resolve, reject) => {
      const headers: Record<string, string> = {
        Accept: "application/json, text/event-stream",
        "Content-Type": "application/json",
        ...(session === undefined ? {} : { "Mcp-Session-Id": session }),
      };
      const asked = request(
        { agent, port, host: "127.0.0.1", method: "POST", path: "/mcp", headers },
        (got) => {
          session ??= got.headers["mcp-session-id"] as string | undefined;
          let text = "";
          got.setEncoding("utf8").on("data", (piece) => (text += piece));
          got.once("end", () => resolve(text));
        },
      );
      asked.once("error", reject).end(JSON.stringify({ jsonrpc: "2.0", ...message }));
    });
  await post({ id: 0, method: "initialize", params: initialize });
  await post({ method: "notifications/initialized" });
  const call = async () => checked(await post({ ...TOOL, id: ++id }));
  return { pid: child.pid, call, mib, end: () => end(child, agent) };
}

const TOOL = { method: "tools/call", params: { name: "echo", arguments: { message: "hello" } } };

function checked(text: string): void {
  if (!text.includes("Echo: hello")) throw new Error(`a call failed: ${text.slice(0, 300)}`);
}

function end(child: ChildProcess, agent?: Agent): void {
  agent?.destroy();
  child.kill("SIGTERM");
}

/** The server itself, over its stdin and stdout. */
async function directly({ place }: Bench): Promise<Caller> {
  const child = spawn(process.execPath, [SERVER, "stdio"], {
    env: place.home().env,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const waiting = new Map<number, (text: string) => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id } = JSON.parse(line);
    waiting.get(id)?.(line);
    waiting.delete(id);
  });
  let counter = 0;
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const ask = (message: object) =>
    new Promise<string>((resolve) => {
      const id = ++counter;
      waiting.set(id, resolve);
      send({ ...message, id });
    });
  await ask({ method: "initialize", params: initialize });
  send({ method: "notifications/initialized" });
  return { call: async () => checked(await ask(TOOL)), mib: 0, end: () => child.stdin.end() };
}

/** Private memory of one that serves and has no client, MiB: of some starts, since it depends on when the heap was last collected. */
async function rest(bench: Bench, args: (port: number) => readonly string[]): Promise<number> {
  const seen: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const child = await served(bench, args);
    seen.push(privateMib(child.pid as number));
    child.kill();
    await once(child, "exit");
  }
  return figure(seen).median;
}

/** A Node that listens, and has come to rest. */
async function served({ place }: Bench, args: (port: number) => readonly string[]): Promise<ChildProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, args(port), { env: place.home().env, stdio: "ignore" });
  const pid = child.pid as number;
  let isUp = false;
  while (!isUp) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    isUp = await new Promise((resolve) =>
      request({ port, host: "127.0.0.1", method: "GET", path: "/" }, (got) => {
        got.resume();
        resolve(true);
      })
        .once("error", () => resolve(false))
        .end(),
    );
  }
  // It uses no more than a hundredth of a second in half of one.
  let before = -1;
  let at = 0;
  await until("it is at rest", () => {
    if (Date.now() < at) return false;
    at = Date.now() + 500;
    const used = cpuMs([pid]);
    const isStill = before >= 0 && used - before <= 10;
    before = used;
    return isStill;
  });
  return child;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(address && typeof address === "object" ? address.port : 0));
    });
  });
}
