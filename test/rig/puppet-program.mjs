/**
 * A server that does what a test tells it. Arguments: the test's socket, its own name, and whatever else.
 * It says hello, then carries out one command a line, and answers each. It ends when the test is gone.
 */
import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const [, , stage, name] = process.argv;
const socket = connect(stage);
socket.on("error", () => process.exit(98));
socket.on("close", () => process.exit(99));
const say = (message) => socket.write(`${JSON.stringify(message)}\n`);

const { pid, ppid, argv, env } = process;
say({ hello: { name, pid, ppid, argv, env, cwd: process.cwd(), umask: process.umask() } });

const FD = { out: 1, err: 2 };
/** Every line proves itself, so that one that was cut and glued is known. */
const line = (n) => `${String(n).padStart(9, "0")} ${String(n).padStart(9, "0")} .\n`;

/** Written directly: process.stdout would keep lines back in this process. */
function print(stream, from, to) {
  for (let n = from; n < to; n += 1000) {
    const bytes = Buffer.from(Array.from({ length: Math.min(1000, to - n) }, (_, i) => line(n + i)).join(""));
    for (let done = 0; done < bytes.length; ) done += writeSync(FD[stream], bytes, done);
  }
}

let chatter;
let printed = 0;
/** Connections to its port so far, and who waits for more of them. */
let visits = 0;
const awaited = [];

function visited() {
  visits++;
  for (const { count, done } of awaited) if (visits === count) done(visits);
}

const deeds = {
  print: ({ stream, from, to }) => print(stream, from, to),
  write: ({ stream, text }) => void writeSync(FD[stream], text),
  /** Prints the next lines on both streams, again and again. */
  chatter: ({ lines, everyMs }) => {
    chatter = setInterval(() => {
      print("out", printed, printed + lines);
      print("err", printed, printed + lines);
      printed += lines;
    }, everyMs);
  },
  /** Answers with the number of lines printed on each stream. */
  hush: () => {
    clearInterval(chatter);
    return printed;
  },
  ignore: ({ signal }) => void process.on(signal, () => say({ ignored: signal })),
  /** A grandchild of the same group that no parent knows any more, and that ignores signals. */
  fork: () =>
    new Promise((done) => {
      const script = "trap '' TERM HUP INT; (sleep 600 & echo $!)";
      const child = spawn("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
      child.stdout.once("data", (text) => done(Number(text)));
    }),
  listen: ({ port }) =>
    new Promise((done, fail) => {
      createServer((caller) => caller.on("error", () => {}).resume())
        .on("connection", visited)
        .once("error", fail)
        .listen(port, "127.0.0.1", done);
    }),
  /** Answers when its port has been connected to so often from now on. */
  visits: ({ times }) => new Promise((done) => awaited.push({ count: visits + times, done })),
  exit: ({ code }) => process.exit(code),
};

createInterface({ input: socket }).on("line", async (text) => {
  const { id, deed, ...details } = JSON.parse(text);
  const value = await deeds[deed](details);
  say({ id, value: value ?? null });
});
