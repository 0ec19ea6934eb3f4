// A server over stdin and stdout that does what a call of its tool `do` says, however wrong that is.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const text = (id, said) => send({ id, result: { content: [{ type: "text", text: said }] } });
let level = "unset";
let asked = 0;
const waiting = new Map();
let initialized = 0;
const subscriptions = new Set();
console.error("up");
/** `--broken FILE`: it does not start while that is there. `--tools FILE`: further tools, a line each. */
const option = (name) => process.argv[process.argv.indexOf(name) + 1];
if (process.argv.includes("--broken") && existsSync(option("--broken"))) {
  console.error("no such database");
  process.exit(3);
}
const tools = () => [
  "do",
  ...(process.argv.includes("--tools") ? (readFileSync(option("--tools"), "utf8").match(/.+/g) ?? []) : []),
];

const deeds = {
  echo: (id, { said }) => text(id, said),
  big: (id) =>
    process.stdout.write(
      `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"n":12345678901234567890,"e":1e400,"a":1,"a":2}}\n`,
    ),
  silence: () => console.error("silent"),
  twice: (id) => {
    text(id, "once");
    text(id, "twice");
  },
  stranger: (id) => {
    send({ id: 99999, result: {} });
    send({ id: "no", error: { code: 1, message: "x" } });
    text(id, "mine");
  },
  garbage: (id) => {
    process.stdout.write('hello {"a":1}\n{"no":"message"}\n[1]\n{torn\n');
    text(id, "after garbage");
  },
  endless: (_, { bytes }) => {
    const piece = Buffer.alloc(1024 * 1024, "x");
    for (let i = 0; i < bytes; i += piece.length) process.stdout.write(piece);
    process.stdout.write("\n");
  },
  long: (id, { bytes }) => text(id, "y".repeat(bytes)),
  exit: (_, { code, said }) => {
    process.stderr.write(`${said}\n`, () => process.exit(code));
  },
  mute: () => process.stdout.end(),
  fork: (id) => {
    const child = spawn("sleep", ["600"], { stdio: "inherit" });
    text(id, String(child.pid));
  },
  stubborn: (id) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {});
    setInterval(() => {}, 1000);
    text(id, "nothing ends me");
  },
  ask: (id) => {
    const question = `q${++asked}`;
    waiting.set(question, (answer) => text(id, JSON.stringify(answer)));
    send({ id: question, method: "sampling/createMessage", params: { messages: [], maxTokens: 1 } });
  },
  notify: (id, { method, params }) => {
    send({ method, params });
    text(id, "told");
  },
  flood: (id, { count, size }) => {
    const params = { level: "error", data: "z".repeat(size) };
    const message = JSON.stringify({ jsonrpc: "2.0", method: "notifications/message", params });
    // One piece of memory for all of them.
    const line = Buffer.from(`${message}\n`);
    for (let i = 0; i < count; i++) process.stdout.write(line);
    text(id, "flooded");
  },
  facts: (id) =>
    text(
      id,
      JSON.stringify({
        ...{ pid: process.pid, level, initialized, argv: process.argv.slice(2) },
        subscriptions: [...subscriptions],
      }),
    ),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params = {}, result, error } = JSON.parse(line);
  if (method === undefined) return waiting.get(id)?.(result ?? error);
  switch (method) {
    case "initialize":
      return send({
        id,
        result: {
          protocolVersion: params.protocolVersion,
          capabilities: { tools: { listChanged: true }, logging: {}, resources: { subscribe: true } },
          serverInfo: { name: "odd", version: "1" },
        },
      });
    case "notifications/initialized":
      initialized++;
      return send({ method: "notifications/tools/list_changed" });
    case "notifications/cancelled":
      return console.error(`cancelled ${params.requestId}`);
    case "logging/setLevel":
      level = params.level;
      return send({ id, result: {} });
    case "resources/subscribe":
      subscriptions.add(params.uri);
      return send({ id, result: {} });
    case "resources/unsubscribe":
      subscriptions.delete(params.uri);
      return send({ id, result: {} });
    case "tools/list":
      return send({
        id,
        result: { tools: tools().map((name) => ({ name, inputSchema: { type: "object" } })) },
      });
    case "tools/call":
      return deeds[params.arguments.deed](id, params.arguments);
    default:
      return id === undefined ? undefined : send({ id, error: { code: -32601, message: `no ${method}` } });
  }
});
