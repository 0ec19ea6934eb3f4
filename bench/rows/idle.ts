import { createServer } from "node:net";
import { cpuMs, sleep } from "../measure.ts";
import { Marked } from "../peers/peer.ts";
import type { Bench, Row } from "../row.ts";

const COUNT = 100;
/** Seconds that are looked at: six rounds of checks. */
const WINDOW = 30;

const LISTENS = (port: number) =>
  `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => q(127.0.0.1), LocalPort => ${port}, Listen => 16) or die; while (my $c = $s->accept) { close $c }`;

/** What it takes to look after servers that nothing happens to. */
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
  await sleep(5000);
  const before = cpuMs(pids);
  await sleep(WINDOW * 1000);
  const share = (cpuMs(pids) - before) / (WINDOW * 10);
  const restarts = marked.pids.length - COUNT;
  await xy.destroy();
  await xy.close();
  return [
    {
      measure: "idle agent and keepers, 100 servers, `tcp` liveness every 5 s",
      goal: "≤ 1 % of a core",
      xy: `${share.toFixed(2)} % of a core`,
      others: [],
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
