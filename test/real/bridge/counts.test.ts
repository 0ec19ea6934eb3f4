import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startBridge } from "../../rig/bridge.ts";
import { ask, PlainClient } from "../../rig/bridge-client.ts";
import { servingBridge } from "../../rig/bridge-program.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours } from "../../rig/mcp/servers.ts";
import { descendants, groupMembers } from "../../rig/processes.ts";

/** By hand, ten thousand. */
const SESSIONS = Number(process.env.XY_TEST_SESSIONS ?? 300);
const CLIENTS = 50;
const QUICK = ["/bin/sh", join(import.meta.dirname, "../../rig/mcp/quick.sh")];

const end = async ({ port, headers }: PlainClient) =>
  expect((await ask(port, { method: "DELETE", headers })).status).toBe(204);
const open = (port: number, number = CLIENTS) =>
  Promise.all(Array.from({ length: number }, () => PlainClient.open(port)));
const text = async (client: PlainClient): Promise<string> =>
  (await client.request("tools/call", { name: "x" })).result.content[0].text;

describe("fifty clients", () => {
  it("have a child each, and those that end when they should are gone before one that ignores everything", async () => {
    const { port, bridge } = await startBridge([ours("odd")], {
      command: {
        program: "/bin/sh",
        args: ["-c", CHOICE, "choice", process.execPath, ours("odd"), ...QUICK],
      },
    });
    const stubborn = await PlainClient.open(port);
    expect(await stubborn.do("stubborn")).toBe("nothing ends me");
    const clients = [stubborn, ...(await open(port, CLIENTS - 1))];
    const [last, ...others] = bridge.children.map(({ pid }) => pid) as [number, ...number[]];
    expect(others).toHaveLength(CLIENTS - 1);
    const said = await Promise.all(clients.slice(1).map(text));
    expect(new Set(said)).toEqual(new Set(others.map(String)));
    await Promise.all(clients.map(end));
    // The grace is over when it has come to an end.
    await eventually(() => expect(groupMembers(last)).toEqual([]));
    expect(others.flatMap(groupMembers)).toEqual([]);
    expect(bridge.children).toEqual([]);
  });

  it("may share one, which ends with the bridge", async () => {
    const { port, child, ended } = await servingBridge(["--share", "all", "--", ...QUICK]);
    const clients = await open(port);
    const pids = new Set(await Promise.all(clients.map(text)));
    expect(pids.size).toBe(1);
    await Promise.all(clients.map(end));
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(groupMembers(Number([...pids][0]))).toEqual([]);
  });
});

/** The first one is one that can ignore everything; the others are there at once. */
const CHOICE = `mkdir "$TMPDIR/first-child" 2>/dev/null && exec "$1" "$2"; shift 2; exec "$@"`;

/** Has a bridge collect what it does not need, and say what is left. */
const WEIGHED = `data:text/javascript,${encodeURIComponent(`process.on("SIGWINCH", () => {
  gc(); gc();
  console.error("weighed " + process.memoryUsage().heapUsed);
})`)}`;

describe("sessions one after another", () => {
  it(`leave nothing behind: ${SESSIONS} of them, half of which never say that they end`, {
    timeout: 200 * SESSIONS + 60_000,
  }, async () => {
    const { port, child, said } = await servingBridge(
      ["--max-sessions", "10", "--max-children", "10", "--max-starts", "10000", "--", ...QUICK],
      { node: ["--expose-gc", "--import", WEIGHED] },
    );
    const pid = child.pid as number;
    const descriptors = () => readdirSync(`/proc/${pid}/fd`).length;
    const atStart = descriptors();
    let opened = 0;
    const some = async (number: number) => {
      for (const last = opened + number; opened < last; ) {
        const client = await PlainClient.open(port);
        await text(client);
        if (opened++ % 2 === 0) await end(client);
      }
    };
    const look = async () => {
      // Those that were ended have ended. Each of the others has four descriptors, and the client one connection or two.
      await eventually(() => {
        expect(children(pid)).toBe(10);
        expect(descriptors()).toBeLessThanOrEqual(atStart + 10 * 4 + 2);
      });
      const before = said().length;
      child.kill("SIGWINCH");
      while (!/weighed \d+\n/.test(said().slice(before)))
        await once(child.stderr as NodeJS.EventEmitter, "data");
      const heap = Number(/weighed (\d+)/.exec(said().slice(before))?.[1]);
      return { children: children(pid), descriptors: descriptors(), heap };
    };
    await some(60);
    const before = await look();
    await some(SESSIONS);
    const after = await look();
    const kib = (bytes: number) => `${Math.round(bytes / 1024)} KiB`;
    console.log(
      `${SESSIONS} sessions: ${before.children} → ${after.children} children, ` +
        `${before.descriptors} → ${after.descriptors} descriptors, ${kib(before.heap)} → ${kib(after.heap)} of heap`,
    );
    // Room for what is compiled meanwhile; a session that stays would be 8 KiB.
    expect(after.heap - before.heap).toBeLessThan(512 * 1024 + SESSIONS * 100);
  });
});

/** Those of a bridge, without the shells that guard them. */
function children(pid: number): number {
  const below = descendants(pid);
  return new Set(below.map(({ group }) => group)).size;
}
