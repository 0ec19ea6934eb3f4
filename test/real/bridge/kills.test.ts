import { existsSync, readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { STATUS_PATH } from "../../../src/model/bridge-place.ts";
import { agentRecordPath } from "../../../src/system/paths.ts";
import { newHome } from "../../cli/cli.ts";
import { PlainClient } from "../../rig/bridge-client.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours } from "../../rig/mcp/servers.ts";
import { freePort } from "../../rig/port.ts";
import { groupMembers, isAlive, programsWith } from "../../rig/processes.ts";
import { SupervisordHome, whyNoSupervisord } from "../../rig/supervisord.ts";
import { SystemdHome, whyNoSystemd } from "../../rig/systemd.ts";

/** Whatever is killed in the middle of a call: nobody waits for ever, nothing is left, and the session goes on. */

const ODD = `${process.execPath} ${ours("odd")}`;

/** A server over stdin and stdout that is served at this port. Its processes have the port as an argument, to be found. */
const declaration = (port: number) => `command ${JSON.stringify(process.execPath)}
args ${JSON.stringify(ours("odd"))} "at-${port}"
port ${port}
mcp { transport "stdio"; }
`;

type Part = "child" | "bridge" | "agent";

interface Stand {
  readonly port: number;
  /** The agent that runs the bridge, where one does. */
  readonly agent?: () => number | undefined;
}

const isChild = (command: string) => command.startsWith(ODD);
const isBridge = (command: string) =>
  / --port=\d+ .* -- /.test(command) && !command.includes("xy-bridge-child");

/** Without what one of them is about to start, which has its arguments until it is another program. */
function running(part: "child" | "bridge", port: number) {
  const is = part === "child" ? isChild : isBridge;
  const found = programsWith(`at-${port}`).filter(({ command }) => is(command));
  return found.filter(({ parent }) => found.every(({ pid }) => pid !== parent));
}

function pidOf(part: Part, { port, agent }: Stand): number {
  const found = part === "agent" ? agent?.() : running(part, port)[0]?.pid;
  if (found === undefined) throw new Error(`no ${part} is running`);
  return found;
}

/** A call on the session, as soon as there is somebody to answer it. */
const next = (client: PlainClient, said: string) =>
  eventually(async () => expect(await client.do("echo", { said })).toBe(said));

async function survives(stand: Stand, victims: readonly (readonly Part[])[]): Promise<void> {
  const client = await eventually(() => PlainClient.open(stand.port));
  await client.request("logging/setLevel", { level: "warning" });
  for (const [i, parts] of victims.entries()) {
    const open = client.request("tools/call", { arguments: { deed: "silence" } }, `open-${i}`);
    const over = open.then(
      ({ error }) => error?.message ?? "cancelled",
      ({ code }) => code,
    );
    await next(client, "before");
    const child = pidOf("child", stand);
    const killed = parts.map((part) => pidOf(part, stand));
    for (const pid of killed) process.kill(pid, "SIGKILL");
    const isCut = parts.some((part) => part !== "agent");
    if (!isCut)
      await client.post({
        ...{ jsonrpc: "2.0", method: "notifications/cancelled" },
        params: { requestId: `open-${i}` },
      });
    expect([parts, await over]).toEqual([
      parts,
      parts.includes("bridge")
        ? expect.stringMatching(/^(ECONNRESET|the server ended)/)
        : isCut
          ? expect.stringContaining("the server ended before it answered: it was ended by SIGKILL")
          : "cancelled",
    ]);
    await next(client, `after ${parts}`);
    const facts = JSON.parse(await client.do("facts"));
    expect([parts, facts.level, facts.initialized]).toEqual([parts, "warning", 1]);
    for (const pid of killed) await eventually(() => expect(isAlive(pid)).toBe(false));
    if (isCut) await eventually(() => expect(groupMembers(child)).toEqual([]));
    // What was killed is there again, once.
    for (const part of parts)
      await eventually(() => expect([part, killed.includes(pidOf(part, stand))]).toEqual([part, false]));
    expect(running("bridge", stand.port)).toHaveLength(1);
  }
}

/** The bridge is told of its server's restart settings. */
const SOON = " --backoff-initial=100ms ";

const ALONE = [["child"], ["bridge"], ["child", "bridge"]] as const;

describe("kill -9 in the middle of a call", () => {
  it("costs that call and nothing more, under an agent", async () => {
    const home = newHome();
    const port = await freePort();
    home.trusts();
    home.write("servers.d/odd.kdl", declaration(port));
    await home.did("apply", "--yes");
    const agent = (): number | undefined => {
      const path = agentRecordPath(home.state);
      return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).pid : undefined;
    };
    await survives({ port, agent }, [...ALONE, ["agent"], ["bridge", "agent"], ["child", "agent"]]);
    await home.did("destroy", "--yes");
    expect(programsWith(`at-${port}`)).toEqual([]);
  });

  it("and a restart cost an official client neither its session nor its stream", async () => {
    const home = newHome();
    const port = await freePort();
    home.trusts();
    // The client tries it after a second, and once more after another and a half.
    home.write("servers.d/odd.kdl", `${declaration(port)}restart { backoff-initial "100ms"; }\n`);
    await home.did("apply", "--yes");
    expect(programsWith(`at-${port}`).filter(({ command }) => command.includes(SOON))).not.toEqual([]);
    const client = new Client({ name: "test", version: "1" });
    const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`));
    onTestFinished(() => client.close());
    const heard: unknown[] = [];
    client.fallbackNotificationHandler = async ({ params }) => void heard.push(params?.uri);
    await client.connect(transport as never);
    const { sessionId } = transport;
    const listens = () =>
      eventually(async () => {
        const status = await (await fetch(`http://127.0.0.1:${port}${STATUS_PATH}`)).json();
        expect(status).toMatchObject({
          bridge: { sessions: [{ id: sessionId?.slice(0, 8), streams: 1 }] },
        });
      });
    /** News goes by the stream alone. */
    const hears = async (uri: string) => {
      const told = { deed: "notify", method: "notifications/resources/updated", params: { uri } };
      await client.callTool({ name: "do", arguments: told });
      await eventually(() => expect(heard).toContain(uri));
    };
    await listens();
    await hears("before");
    await home.did("restart", "odd");
    await listens();
    await hears("after a restart");
    process.kill(pidOf("bridge", { port }), "SIGKILL");
    await listens();
    await hears("after a kill");
    expect(transport.sessionId).toBe(sessionId);
  });

  it.skipIf(whyNoSystemd() !== undefined)("costs no more under systemd", async () => {
    const home = await SystemdHome.open();
    onTestFinished(() => home.close());
    const port = await freePort();
    home.write("tools/xy.config.kdl", 'backend "systemd"\n');
    home.write("tools/servers.d/odd.kdl", declaration(port));
    await home.did("xy apply --yes");
    await survives({ port }, ALONE);
    await home.did("xy destroy --yes");
    expect(programsWith(`at-${port}`)).toEqual([]);
  });

  it.skipIf(whyNoSupervisord() !== undefined)("costs no more under supervisord", async () => {
    const supervisord = new SupervisordHome();
    onTestFinished(() => supervisord.close());
    const home = newHome();
    const { url, includeDir } = supervisord.site;
    const port = await freePort();
    home.trusts();
    home.write(
      "xy.config.kdl",
      `backend "supervisord"\nsupervisord { url ${JSON.stringify(url)}; include-dir ${JSON.stringify(includeDir)}; }\n`,
    );
    home.write("servers.d/odd.kdl", declaration(port));
    await supervisord.open();
    await home.did("apply", "--yes");
    await survives({ port }, ALONE);
    await home.did("destroy", "--yes");
    expect(programsWith(`at-${port}`)).toEqual([]);
  });
});
