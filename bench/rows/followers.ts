import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { cpuMs, sleep, until } from "../measure.ts";
import { Marked } from "../peers/peer.ts";
import type { Place } from "../place.ts";
import type { Bench, Row } from "../row.ts";

/** The cost of passing output on to followers. */

const SERVERS = 50;
const SECONDS = 20;

/** Prints 1 MB a second, numbered, in lines of 100 bytes. */
const STEADY = (marks: string) =>
  `echo $$ >>${marks}; exec perl -e '$|=1; my $n=0; for(;;){ my $t=""; $t .= sprintf("%099d\\n", $n++) for 1..1000; print $t; select(undef,undef,undef,0.1) }'`;

export async function followers(bench: Bench): Promise<Row[]> {
  const { place, peers, note } = bench;
  const xy = await peers.xy();
  const dir = place.home().path;
  const names = Array.from({ length: SERVERS }, (_, i) => `s${i}`);
  const marks = new Marked(dir, SERVERS);
  await xy.declare(
    names.map((name) => ({ name, script: STEADY(join(dir, "began")) })),
    'port "none"\nlogs max-size="100MiB" keep=20\n',
  );
  await xy.apply();
  await marks.haveBegun();
  note(`output: ${SERVERS} servers at 1 MB/s, each with a follower, for ${SECONDS} s`);
  const readers = await Promise.all(names.map((name) => follow(xy.socket, name)));
  await sleep(3000);
  const before = cpuMs([xy.agentPid]);
  const bytesBefore = readers.map(({ bytes }) => bytes);
  await sleep(SECONDS * 1000);
  const share = (cpuMs([xy.agentPid]) - before) / (SECONDS * 10);
  const mb = readers.map(({ bytes }, i) => (bytes - (bytesBefore[i] ?? 0)) / 1e6 / SECONDS);
  const missed = readers.map((reader) => reader.missed).reduce((a, b) => a + b, 0);
  for (const { socket } of readers) socket.destroy();
  for (const pid of marks.pids) process.kill(pid, "SIGSTOP");
  await sleep(1000);
  const logs = join(xy.home, ".local/state/xy/projects/tools/servers");
  const gaps = names.map((name) => gapsIn(join(logs, name, "log"))).reduce((a, b) => a + b, 0);
  for (const pid of marks.pids) process.kill(pid, "SIGCONT");
  await xy.destroy();
  await xy.close();
  const total = mb.reduce((a, b) => a + b, 0);
  note(`output: the same through a bare node, for ${SECONDS} s`);
  const least = await handedOn(place);
  return [
    {
      measure: `${SERVERS} servers at 1 MB/s each, with a follower each`,
      goal: "nothing lost in the files; agent ≤ 50 % of a core",
      xy: `${share.toFixed(0)} % of a core; ${gaps} lines lost in the files; ${missed} missed by followers, who got ${total.toFixed(0)} MB/s of JSON`,
      others: [`floor: bare node that hands on each line as JSON, and keeps none ${least.toFixed(0)} %`],
      ratio: "",
      isReached: share <= 50 && gaps === 0,
    },
  ];
}

/** Starts the same programs, one per connection, and writes each line to it. */
const HANDS_ON = `
const { spawn } = require("node:child_process");
let next = 0;
require("node:net").createServer((socket) => {
  const name = "s" + next++;
  const child = spawn("/bin/sh", ["-c", process.env.STEADY], { stdio: ["ignore", "pipe", "ignore"] });
  let rest = "";
  child.stdout.on("data", (chunk) => {
    const lines = (rest + chunk.toString()).split("\\n");
    rest = lines.pop();
    let frames = "";
    for (const line of lines)
      frames += JSON.stringify({ jsonrpc: "2.0", method: "log", params: { subscription_id: 1, name, stream: "stdout", line, ts_unix_ms: Date.now() } }) + "\\n";
    socket.write(frames);
  });
  socket.on("error", () => {}).on("close", () => child.kill());
}).listen(process.env.SOCKET);
`;

/** Percent of a core. */
async function handedOn(place: Place): Promise<number> {
  const { path, env } = place.home();
  const SOCKET = join(path, "socket");
  const floor = spawn(process.execPath, ["-e", HANDS_ON], {
    env: { ...env, SOCKET, STEADY: STEADY("/dev/null") },
    stdio: "ignore",
  });
  await until("it listens", () => existsSync(SOCKET));
  const sockets = Array.from({ length: SERVERS }, () => connect({ path: SOCKET }).resume());
  await sleep(3000);
  const before = cpuMs([floor.pid as number]);
  await sleep(SECONDS * 1000);
  const share = (cpuMs([floor.pid as number]) - before) / (SECONDS * 10);
  for (const socket of sockets) socket.destroy();
  floor.kill();
  return share;
}

interface Reader {
  readonly socket: Socket;
  bytes: number;
  missed: number;
}

async function follow(path: string, name: string): Promise<Reader> {
  const socket = connect({ path });
  const reader: Reader = { socket, bytes: 0, missed: 0 };
  const request = { jsonrpc: "2.0", id: 1, method: "logs", params: { name, tail: 0, follow: true } };
  socket.write(`${JSON.stringify(request)}\n`);
  socket.on("data", (chunk: Buffer) => {
    reader.bytes += chunk.length;
    if (chunk.includes('"missed":'))
      reader.missed += Number(/"missed":(\d+)/.exec(chunk.toString())?.[1] ?? 0);
  });
  return reader;
}

/** How many numbers are missing between the first and the last in a log. */
function gapsIn(dir: string): number {
  const files = readdirSync(dir).filter((name) => name.endsWith(".log"));
  const age = (name: string) => (name === "current.log" ? 0 : Number.parseInt(name, 10));
  const text = files
    .sort((a, b) => age(b) - age(a))
    .map((name) => readFileSync(join(dir, name), "latin1"))
    .join("");
  // A record that a read cut off continues in the next one.
  const whole = text.replaceAll(/\n\S{24} \[out\] (?=\d*\n)/g, (mark, at: number) =>
    isCut(text, at) ? "" : mark,
  );
  let gaps = 0;
  let last: number | undefined;
  for (const match of whole.matchAll(/\] (\d{99})\n/g)) {
    const number = Number(match[1]);
    if (last !== undefined) gaps += number - last - 1;
    last = number;
  }
  return gaps;
}

/** The record that ends here is marked as open. */
function isCut(text: string, at: number): boolean {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  return text.startsWith("[out+]", start + 25);
}
