import { expect, it, onTestFinished } from "vitest";
import { newHome } from "../cli/cli.ts";
import { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { freePort } from "../rig/port.ts";
import { StrictClient } from "../rig/strict-client.ts";

/** Ends with 7 when it is told SIGUSR1. */
const LIFE = `command "sh"
args "-c" "trap 'exit 7' USR1; echo up; while :; do sleep 600 & wait; done"
readiness "log" pattern="^up$"
liveness "none"
restart { backoff-initial "1h"; backoff-max "1h"; }
`;

it("a strict client gets through a life: starts, ends, a signal, restarts, reloads, logs", async () => {
  const home = newHome();
  home.write("servers.d/web.kdl", `${LIFE}port ${await freePort()}\n`);
  home.declare("db");
  await home.did("apply", "--yes");
  const agent = new Agent(home.state);
  const client = new StrictClient(await agent.connect());
  onTestFinished(() => {
    client.close();
    agent.close();
  });
  const web = { name: "web", project: null };
  const status = () => client.call("status", web);
  const ended = (state: string) =>
    eventually(async () => {
      const found = await status();
      expect(found.state).toBe(state);
      return found;
    });
  const signal = async (name: NodeJS.Signals) => {
    const { pid } = await status();
    if (pid) process.kill(pid, name);
  };

  const first = await client.call("list", { project: null });
  expect(first).toMatchObject([
    { name: "db", state: "running", port: null, restart_count: 0 },
    { name: "web", state: "running", port: expect.any(Number) },
  ]);
  expect(first[1]).not.toHaveProperty("last_exit");

  // It exits, and is brought back by a person.
  await signal("SIGUSR1");
  expect(await ended("restarting")).toMatchObject({ last_exit: 7, restart_count: 1 });
  expect((await status()).recent_transitions.at(-1)).toMatchObject({ from: "running", to: "restarting" });
  expect(await client.call("start", web)).toEqual({ started: ["web"], already_running: [] });
  expect(await client.call("start", web)).toEqual({ started: [], already_running: ["web"] });
  // A signal is no code.
  await signal("SIGKILL");
  expect(await ended("restarting")).not.toHaveProperty("last_exit");
  // What waits for its backoff, what runs, what is stopped: each is restarted.
  expect(await client.call("restart", web)).toEqual({ restarted: ["web"] });
  expect(await client.call("restart", web)).toEqual({ restarted: ["web"] });
  expect(await client.call("stop", web)).toEqual({ stopped: ["web"], not_running: [] });
  expect(await client.call("stop", web)).toEqual({ stopped: [], not_running: ["web"] });
  expect(await ended("stopped")).not.toHaveProperty("pid");
  expect(await client.call("restart", web)).toEqual({ restarted: ["web"] });
  expect(await client.call("restart", { names: ["web", "db"], all: false })).toEqual({
    restarted: expect.arrayContaining(["web", "db"]),
  });

  const { subscription_id } = await client.call("logs", { ...web, tail: 1, follow: true });
  const isIts = ({ params }: { params: object }) =>
    "subscription_id" in params && params.subscription_id === subscription_id;
  await client.hears((heard) => isIts(heard) && heard.method === "log");
  await client.call("logs_cancel", { subscription_id });
  await client.hears((heard) => isIts(heard) && heard.method === "log_end");

  home.declare("new");
  home.write("servers.d/db.kdl", 'command "sleep"\nargs "600"\nport "none"\numask "077"\n');
  expect(await client.call("reload", { project: null })).toEqual({
    added: ["new"],
    removed: [],
    changed: ["db"],
    unchanged: ["web"],
  });
  home.write(
    "servers.d/new.kdl",
    'command "sh"\nargs "-c" "exit 3"\nport "none"\nrestart { policy "never"; }\n',
  );
  home.declare("newer");
  expect(await client.call("reload", {})).toEqual({
    added: ["newer"],
    removed: [],
    changed: [],
    unchanged: ["db", "web"],
  });

  expect(client.faults).toEqual([]);
  expect([...client.states].sort()).toEqual(["restarting", "running", "stopped"]);
});
