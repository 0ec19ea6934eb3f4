import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { PlainClient } from "../../rig/bridge-client.ts";
import { type HowToRun, runBridge, servingBridge } from "../../rig/bridge-program.ts";
import { eventually } from "../../rig/eventually.ts";
import { occupy } from "../../rig/mcp/client.ts";
import { ours } from "../../rig/mcp/servers.ts";
import { freePort } from "../../rig/port.ts";
import { groupMembers, isAlive } from "../../rig/processes.ts";

const ODD = [process.execPath, ours("odd")];

const serving = (more: readonly string[] = [], how?: HowToRun, port?: number) =>
  servingBridge([...more, "--", ...ODD, "--port", "a b", ""], how, port);

describe("xy bridge", () => {
  it("hands on the command as it is, prints what it prints, and ends it all with itself", async () => {
    const { port, child, said, ended } = await serving([], { env: { XY_BRIDGE_TOKEN: "" } });
    const client = await PlainClient.open(port);
    const facts = JSON.parse(await client.do("facts"));
    expect(facts.argv).toEqual(["--port", "a b", ""]);
    await eventually(() => expect(said()).toContain(`[${client.session.slice(0, 8)}] up\n`));
    const open = client.do("silence");
    await eventually(() => expect(said()).toContain("silent"));
    child.kill("SIGTERM");
    expect(await open).toBe("the session is over");
    expect(await ended).toBe(0);
    expect(isAlive(facts.pid)).toBe(false);
    expect(groupMembers(facts.pid)).toEqual([]);
  });

  it.for(["SIGKILL", "SIGTERM"] as const)(
    "leaves nothing behind when %s ends it, whatever a child ignores",
    async (signal) => {
      const { port, child, ended } = await serving();
      const clients = [await PlainClient.open(port), await PlainClient.open(port)];
      const pids = await Promise.all(clients.map(async (client) => JSON.parse(await client.do("facts")).pid));
      const forked = await Promise.all(clients.map(async (client) => Number(await client.do("fork"))));
      await clients[0]?.do("stubborn");
      child.kill(signal);
      await ended;
      for (const pid of [...pids, ...forked]) await eventually(() => expect(isAlive(pid)).toBe(false));
      for (const pid of pids) await eventually(() => expect(groupMembers(pid)).toEqual([]));
    },
  );

  it("goes on with its sessions after it was killed, in the middle of a call", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sessions-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const first = await serving(["--sessions", folder]);
    const client = await PlainClient.open(first.port);
    await client.request("logging/setLevel", { level: "error" });
    const { pid } = JSON.parse(await client.do("facts"));
    const open = client.do("silence").catch(({ code }) => code);
    await eventually(() => expect(first.said()).toContain("silent"));
    first.child.kill("SIGKILL");
    expect(await open).toBe("ECONNRESET");
    await first.ended;
    const second = await serving(["--sessions", folder], {}, first.port);
    expect(JSON.parse(await client.do("facts"))).toMatchObject({ level: "error", initialized: 1 });
    await eventually(() => expect(groupMembers(pid)).toEqual([]));
    expect(first.said() + second.said()).not.toContain(client.session);
  });

  it("says what is wrong with what it was told, and starts nothing", async () => {
    const port = await freePort();
    await occupy(port);
    const mistakes: [words: string[], code: number, says: string][] = [
      [[], 64, "cannot bridge to nothing: write the server's command after --"],
      [["--port", "1"], 64, "cannot bridge to nothing: write the server's command after --"],
      [["--", "true"], 64, "cannot tell the port: write --port with a number up to 65535"],
      [["--port", "70000", "--", "true"], 64, "cannot tell the port"],
      [["--prt", "1", "--", "true"], 64, "cannot read the arguments: Unknown option '--prt'"],
      [["--port", "1", "more", "--", "true"], 64, "cannot read the arguments: Unexpected argument 'more'"],
      [
        ["--port", "1", "--share", "some", "--", "true"],
        64,
        "cannot share a child as some: write session or all",
      ],
      [["--port", "1", "--idle-stop", "soon", "--", "true"], 64, "cannot read --idle-stop soon"],
      [["--port", "1", "--path", "mcp", "--", "true"], 64, "cannot serve at the path mcp"],
      [["--port", "1", "--sessions", "", "--", "true"], 64, "cannot keep sessions in --sessions: it names"],
      [
        ["--port", "1", "--host", "0.0.0.0", "--", "true"],
        64,
        "cannot serve 0.0.0.0 to everybody who reaches it: set XY_BRIDGE_TOKEN",
      ],
      [
        ["--port", `${port}`, "--", "true"],
        1,
        `cannot listen on 127.0.0.1:${port}: something else listens there`,
      ],
    ];
    const runs = mistakes.map(([words]) => runBridge(words));
    for (const [i, [words, code, says]] of mistakes.entries()) {
      expect.soft([words, await runs[i]?.ended]).toEqual([words, code]);
      expect.soft(runs[i]?.said()).toMatch(new RegExp(`^xy: ${says.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`));
    }
  });

  it("ends with the reason when its server cannot be started at all", async () => {
    const bridge = runBridge(["--port", `${await freePort()}`, "--", "/nowhere/at/all"]);
    expect(await bridge.ended).toBe(1);
    expect(bridge.said()).toMatch(
      /\nxy: cannot serve a server that does not start: it exited with 127: .*\/nowhere\/at\/all/,
    );
  });
});
