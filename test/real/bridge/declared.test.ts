import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { newHome } from "../../cli/cli.ts";
import { ask, PlainClient } from "../../rig/bridge-client.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours, PROGRAMS } from "../../rig/mcp/servers.ts";
import { otherVersion } from "../../rig/package.ts";
import { freePort } from "../../rig/port.ts";
import { programsWith } from "../../rig/processes.ts";
import { SupervisordHome, whyNoSupervisord } from "../../rig/supervisord.ts";
import { SystemdHome, whyNoSystemd } from "../../rig/systemd.ts";

/** A server over stdin and stdout is declared like any other: xy's bridge comes with it, whatever runs it. */

const TOKEN = "s3cr3t-of-clients";
const NO_CHANGES = "No changes. 1 server matches the configuration.\n";

/** A real server, with a token that its clients have to send. Its processes have the port as an argument, to be found. */
const declaration = (port: number) => `command ${JSON.stringify(process.execPath)}
args ${JSON.stringify(PROGRAMS.memory)} "at-${port}"
port ${port}
mcp { transport "stdio"; share "all"; token (file)"../token.txt"; }
env {
  MEMORY_FILE_PATH "{home}/memory.jsonl"
  NODE_OPTIONS "--max-old-space-size=200"
}
`;

/** What an official client finds at a port. */
async function tools(port: number, token?: string): Promise<string[]> {
  const client = new Client({ name: "test", version: "1" });
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const url = new URL(`http://127.0.0.1:${port}/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }) as never);
  const { tools: found } = await client.listTools();
  await client.close();
  return found.map(({ name }) => name);
}

const isBridge = (command: string) => / --port=\d+ .* -- /.test(command);
const bridgeAt = (port: number) =>
  programsWith(`at-${port}`).find(
    ({ command }) =>
      isBridge(command) && !/xy-bridge-child|xy-keeper/.test(command) && !command.startsWith("/bin/sh"),
  );
const childAt = (port: number) =>
  programsWith(`at-${port}`).find(({ command }) =>
    command.startsWith(`${process.execPath} ${PROGRAMS.memory}`),
  );
const environmentOf = (pid: number | undefined) =>
  readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").slice(0, -1);

async function serves(port: number): Promise<void> {
  expect(await tools(port, TOKEN)).toContain("create_entities");
  await expect(tools(port)).rejects.toThrow();
  expect((await ask(port, { body: {}, headers: { Authorization: "Bearer wrong" } })).status).toBe(401);
  const [bridge, child] = [bridgeAt(port), childAt(port)];
  expect(bridge?.command).not.toContain(TOKEN);
  const [own, given] = [environmentOf(bridge?.pid), environmentOf(child?.pid)];
  expect(own.filter((entry) => entry.startsWith("NODE_OPTIONS="))).toEqual([]);
  expect(given).toContain("NODE_OPTIONS=--max-old-space-size=200");
  expect(given.filter((entry) => /^XY_|^(PWD|OLDPWD|SHLVL|_)=/.test(entry))).toEqual([]);
}

describe("a server that is declared as one over stdin and stdout", () => {
  it("is reached by its token under an agent, and no update of xy restarts it", async () => {
    const home = newHome();
    const port = await freePort();
    home.trusts();
    home.write("token.txt", `${TOKEN}\n`);
    home.write("servers.d/notes.kdl", declaration(port));
    expect(await home.did("apply", "--yes")).toContain("notes: added, ready:");
    await serves(port);
    const before = bridgeAt(port);
    expect(await home.did("plan")).toBe(NO_CHANGES);

    const other = otherVersion(join(home.path, "elsewhere"), "0.9.9");
    const there = (...words: string[]) => home.start({}, process.execPath, other, ...words).ended;
    expect(await there("agent", "upgrade")).toMatchObject({ code: 0 });
    expect(await there("apply", "--yes")).toMatchObject({ code: 0, stdout: NO_CHANGES });
    expect(bridgeAt(port)?.pid).toBe(before?.pid);
    await serves(port);

    // The next one is the new agent's own, and stays when that version is removed.
    rmSync(join(home.path, "elsewhere"), { recursive: true });
    await home.did("restart", "notes");
    await eventually(() => serves(port));
    expect(bridgeAt(port)?.command).toContain("/agent.programs/0.9.9-");
    await home.did("destroy", "--yes");
    expect(existsSync(join(home.state, "bridges"))).toBe(false);
  });

  it("gets its command, its folder and its environment as they are declared", async () => {
    const home = newHome();
    const port = await freePort();
    home.write(
      "servers.d/odd.kdl",
      `command ${JSON.stringify(process.execPath)}
args ${JSON.stringify(ours("odd"))} "--port" "a  b" "" "ä\\n\\"" "--"
port ${port}
mcp { transport "stdio"; }
env { GREETING "good \\"day\\"\\n"; }
`,
    );
    await home.did("apply", "--yes");
    const client = await PlainClient.open(port);
    const facts = JSON.parse(await client.do("facts"));
    expect(facts.argv).toEqual(["--port", "a  b", "", 'ä\n"', "--"]);
    expect(environmentOf(facts.pid)).toContain('GREETING=good "day"\n');
    const { state } = (await home.servers()).odd ?? {};
    expect(state).toBe("running");
  });

  it("is refused by an agent that has no bridge", async () => {
    const home = newHome();
    const port = await freePort();
    home.write("servers.d/odd.kdl", `command "sleep"\nargs "60"\nport ${port}\nmcp { transport "stdio"; }\n`);
    const old = otherVersion(join(home.path, "old"), "0.0.9", ["bridges: true,", ""]);
    await home.start({}, process.execPath, old, "agent", "start").ended;
    const { code, stdout, stderr } = await home.xy("apply", "--yes");
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(
      "the agent that runs, of xy 0.0.9, serves no servers over stdin and stdout",
    );
    expect(stdout + stderr).toContain("`xy agent upgrade` replaces it");
  });

  it.skipIf(whyNoSystemd() !== undefined)(
    "is the same under systemd; a lost launcher is seen, and written again",
    async () => {
      const home = await SystemdHome.open();
      onTestFinished(() => home.close());
      const port = await freePort();
      home.write("token.txt", `${TOKEN}\n`);
      home.write("tools/xy.config.kdl", 'backend "systemd"\n');
      home.write("tools/servers.d/notes.kdl", declaration(port).replace("../token.txt", "../../token.txt"));
      await home.did("xy apply --yes --trust");
      await serves(port);
      const before = bridgeAt(port);

      const other = otherVersion(join(home.path, "elsewhere"), "0.9.9");
      expect(await home.did("xy plan", other)).toBe(NO_CHANGES.trimEnd());

      await home.did("rm ~/.local/state/xy/bridge.sh");
      expect(await home.did("xy plan")).toContain("the launcher of xy's bridge is gone");
      await home.did("xy apply --yes");
      expect(await home.did("xy plan")).toBe(NO_CHANGES.trimEnd());
      expect(bridgeAt(port)?.pid).toBe(before?.pid);
      await home.did("xy restart notes");
      await eventually(() => serves(port));
      expect(bridgeAt(port)?.pid).not.toBe(before?.pid);
      await home.did("xy destroy --yes");
      expect(programsWith(`at-${port}`)).toEqual([]);
    },
  );

  it.skipIf(whyNoSupervisord() !== undefined)("is the same under supervisord", async () => {
    const supervisord = new SupervisordHome();
    onTestFinished(() => supervisord.close());
    const home = newHome();
    const port = await freePort();
    const { url, includeDir } = supervisord.site;
    home.trusts();
    home.write("token.txt", `${TOKEN}\n`);
    home.write(
      "xy.config.kdl",
      `backend "supervisord"\nsupervisord { url ${JSON.stringify(url)}; include-dir ${JSON.stringify(includeDir)}; }\n`,
    );
    home.write("servers.d/notes.kdl", declaration(port));
    await supervisord.open();
    await home.did("apply", "--yes");
    await serves(port);
    const other = otherVersion(join(home.path, "elsewhere"), "0.9.9");
    const plan = await home.start({}, process.execPath, other, "plan").ended;
    expect(plan).toMatchObject({ code: 0, stdout: NO_CHANGES });
    await home.did("destroy", "--yes");
    expect(programsWith(`at-${port}`)).toEqual([]);
  });

  it("has a committed unit that starts it by a launcher, once that is written", async () => {
    const home = newHome();
    const port = await freePort();
    home.write(
      "servers.d/odd.kdl",
      `command ${JSON.stringify(process.execPath)}
args ${JSON.stringify(ours("odd"))} "at-${port}"
port ${port}
mcp { transport "stdio"; }
`,
    );
    const { stdout: unit, stderr: notes } = await home.xy("emit", "systemd");
    expect(notes).toContain(
      "odd: xy's bridge runs it; on each machine, `xy bridge --launcher` writes what the unit starts",
    );
    const [, line = ""] = /^ExecStart=:(.*)$/m.exec(unit) ?? [];
    const words = [...line.matchAll(/"([^"]*)"/g)].map(([, word = ""]) => word.replace("%h", home.path));
    expect(words[0]).toBe(join(home.state, "bridge.sh"));
    expect(existsSync(words[0] as string)).toBe(false);
    expect(await home.did("bridge", "--launcher")).toBe(`${words[0]}\n`);
    const running = home.start({}, ...(words as [string, ...string[]]));
    await running.prints(`serves at http://127.0.0.1:${port}/mcp`);
    const client = await PlainClient.open(port);
    const { pid } = JSON.parse(await client.do("facts"));
    expect(environmentOf(pid).filter((entry) => /^(PWD|OLDPWD|SHLVL|_)=/.test(entry))).toEqual([]);
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
  });
});
