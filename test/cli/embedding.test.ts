import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { newHome } from "./cli.ts";

const CLIENT = join(import.meta.dirname, "../../dist/client.js");

/** A program that embeds xy: it starts the agent, and a server that is its own. */
const PROGRAM = `
import { connect, ownSession } from ${JSON.stringify(CLIENT)};
const xy = await connect({ start: true });
const { spec } = await xy.call("status", { name: "web" });
await xy.call("apply", { project: "tools", server: "helper", action: "add", spec: { ...spec, name: "helper" }, wait_ms: 10_000, session: ownSession() });
console.log((await xy.call("agent_info")).pid);
setInterval(() => {}, 1000);
`;

it("a process that embeds xy starts the agent, and owns a session", async () => {
  const home = newHome();
  home.declare("web");
  await home.did("apply", "--yes");
  await home.did("agent", "stop");
  const child = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM], {
    cwd: home.project,
    env: { ...home.env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [agent] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  expect(JSON.parse(await home.did("agent", "status", "--json"))).toMatchObject({ pid: Number(agent) });
  const servers = await home.servers();
  expect(servers.web?.pid).toBeDefined();
  expect(servers.helper).toMatchObject({ state: "running" });

  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  await eventually(async () => {
    const now = await home.servers();
    expect(now.helper).toMatchObject({ state: "stopped", held: false });
    expect(now.web?.pid).toBe(servers.web?.pid);
  });
});
