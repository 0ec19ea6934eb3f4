import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { cpuMs, sleep } from "../measure.ts";
import { Marked } from "../peers/peer.ts";
import type { Bench, Row } from "../row.ts";

const COUNT = 100;
/** Seconds to measure: six rounds of checks. */
const WINDOW = 30;
/** Seconds to wait first: hot code is compiled meanwhile. */
const WARM_UP = 40;

/** Connects to each port every five seconds, one after the other, and does nothing else. */
const LOOKS = (ports: readonly number[]) => `
const { connect } = require("node:net");
const look = (port) => {
  const socket = connect({ host: "127.0.0.1", port });
  socket.once("connect", () => socket.destroy()).once("error", () => socket.destroy());
};
${JSON.stringify(ports)}.forEach((port, i) => setTimeout(() => setInterval(look, 5000, port), i * 50));
`;

const LISTENS = (port: number) =>
  `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => q(127.0.0.1), LocalPort => ${port}, Listen => 16) or die; while (my $c = $s->accept) { close $c }`;

/** The cost of watching servers while nothing happens. */
export async function idle({ place, peers, note }: Bench): Promise<Row[]> {
  const xy = await peers.xy();
  const marked = new Marked(place.home().path, COUNT);
  const ports = await freePorts(COUNT);
  const programs = marked.programs.map(({ name, script }, i) => ({
    name,
    script: script.replace(/exec .*/, `exec perl -e '${LISTENS(ports[i] ?? 0)}'`),
    more: `port ${ports[i]}\nreadiness "tcp"\nliveness "tcp" interval="5s"\n`,
  }));
  await xy.declareEach(programs);
  await xy.apply();
  await marked.haveBegun();
  const pids = xy.pids(marked.pids);
  note(`idle: looks at agent and keepers of ${COUNT} servers for ${WINDOW} s`);
  const floor = spawn(process.execPath, ["-e", LOOKS(ports)], { env: place.home().env, stdio: "ignore" });
  await sleep(WARM_UP * 1000);
  const used = () => [cpuMs(pids), cpuMs([floor.pid as number])] as const;
  const before = used();
  await sleep(WINDOW * 1000);
  const [share = Number.NaN, least = Number.NaN] = used().map(
    (now, i) => (now - (before[i] ?? 0)) / (WINDOW * 10),
  );
  floor.kill();
  const restarts = marked.pids.length - COUNT;
  await xy.destroy();
  await xy.close();
  return [
    {
      measure: "idle agent and keepers, 100 servers, `tcp` liveness every 5 s",
      goal: "≤ 1 % of a core",
      xy: `${share.toFixed(2)} % of a core`,
      others: [`floor: bare node that connects to each ${least.toFixed(2)} %`],
      ratio: "",
      isReached: share <= 1 && restarts === 0,
    },
  ];
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject).listen(0, "127.0.0.1", () => {
            const address = server.address();
            resolve(address && typeof address === "object" ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
