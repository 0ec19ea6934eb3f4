import { createServer, type Server } from "node:net";
import { cpuMs, sleep } from "../measure.ts";
import { Marked } from "../peers/peer.ts";
import type { Bench, Row } from "../row.ts";

const COUNT = 100;
/** Seconds that are looked at: six rounds of checks. */
const WINDOW = 30;

/** What it takes to look after servers that nothing happens to. The ports that are checked are the bench's own. */
export async function idle({ place, peers, note }: Bench): Promise<Row[]> {
  const xy = await peers.xy();
  const marked = new Marked(place.home().path, COUNT);
  const listeners = await Promise.all(marked.programs.map(listen));
  let checks = 0;
  for (const listener of listeners)
    listener.on("connection", (socket) => {
      checks++;
      socket.on("error", () => {}).end();
    });
  const programs = marked.programs.map((program, i) => {
    const address = listeners[i]?.address();
    const port = address && typeof address === "object" ? address.port : 0;
    return { ...program, more: `port "none"\nliveness "tcp" port=${port} interval="5s"\n` };
  });
  await xy.declareEach(programs);
  await xy.apply();
  await marked.haveBegun();
  const pids = xy.pids(marked.pids);
  note(`idle: looks at agent and keepers of ${COUNT} servers for ${WINDOW} s`);
  await sleep(5000);
  checks = 0;
  const before = cpuMs(pids);
  await sleep(WINDOW * 1000);
  const share = (cpuMs(pids) - before) / (WINDOW * 10);
  await xy.destroy();
  await xy.close();
  for (const listener of listeners) listener.close();
  return [
    {
      measure: "idle agent and keepers, 100 servers, `tcp` liveness every 5 s",
      goal: "≤ 1 % of a core",
      xy: `${share.toFixed(2)} % (${(checks / WINDOW).toFixed(0)} checks a second)`,
      others: [],
      ratio: "",
      isReached: share <= 1 && checks >= (COUNT * WINDOW) / 5 / 1.2,
    },
  ];
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject).listen(0, "127.0.0.1", () => resolve(server));
  });
}
