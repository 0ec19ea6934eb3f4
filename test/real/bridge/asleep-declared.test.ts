import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Home, newHome } from "../../cli/cli.ts";
import { PlainClient } from "../../rig/bridge-client.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours } from "../../rig/mcp/servers.ts";
import { freePort } from "../../rig/port.ts";
import { SupervisordHome, whyNoSupervisord } from "../../rig/supervisord.ts";

const SAME = "No changes. 1 server matches the configuration.\n";

/** Each of them runs the bridge in its own way, and what it tells is seen in the same. */
const BACKENDS: Readonly<Record<string, (home: Home) => Promise<void>>> = {
  agent: async () => {},
  supervisord: async (home) => {
    const supervisord = await new SupervisordHome().open();
    onTestFinished(() => supervisord.close());
    const { url, includeDir } = supervisord.site;
    home.trusts();
    home.write(
      "xy.config.kdl",
      `backend "supervisord"\nsupervisord { url ${JSON.stringify(url)}; include-dir ${JSON.stringify(includeDir)}; }\n`,
    );
  },
};

async function declared(backend: string, mcp: string, more = "") {
  const home = newHome();
  await BACKENDS[backend]?.(home);
  const port = await freePort();
  const broken = join(home.path, "broken");
  const args = [ours("odd"), "--broken", broken].map((arg) => JSON.stringify(arg)).join(" ");
  home.write(
    "servers.d/notes.kdl",
    `command ${JSON.stringify(process.execPath)}\nargs ${args}\nport ${port}\nmcp { transport "stdio"; ${mcp}; }\n${more}\n`,
  );
  // biome-ignore lint/suspicious/noExplicitAny: whatever a test looks at.
  const status = async (): Promise<any> => JSON.parse(await home.did("status", "notes", "--json"));
  return { home, port, broken, status };
}

for (const backend of Object.keys(BACKENDS))
  describe.skipIf(backend === "supervisord" && whyNoSupervisord() !== undefined)(
    `a server over stdin and stdout that sleeps, with ${backend}`,
    () => {
      it("is ready and no drift; what it does for whom is seen everywhere", async () => {
        const { home, port, status } = await declared(backend, 'start "on-demand"');
        expect(await home.did("apply", "--yes")).toContain("Apply complete: 1 added");
        await eventually(async () =>
          expect(await status()).toMatchObject({
            ...{ state: "running", ready: true, sleeping: true },
            mcp: { serverName: "odd", tools: ["do"] },
            bridge: { start: "on-demand", session_count: 0, child_count: 0 },
          }),
        );
        expect(await home.did("list")).toMatch(/^notes +running \(asleep\) +yes /m);
        expect(await home.did("plan")).toBe(SAME);
        // A probe neither wakes it nor is a client of it.
        expect(await home.did("probe", "notes")).toContain("notes is ready");
        expect(await status()).toMatchObject({ sleeping: true, bridge: { session_count: 0 } });

        const client = await PlainClient.open(port, { sampling: {} });
        const { pid } = JSON.parse(await client.do("facts"));
        const label = client.session.slice(0, 8);
        const awake = await status();
        expect(awake).toMatchObject({
          bridge: { sessions: [{ id: label, client: "test 1" }], children: [{ pid, session: label }] },
        });
        expect(awake).not.toHaveProperty("sleeping");
        expect(await home.did("list")).toMatch(/^notes +running \(1 client\) +yes /m);
        expect(await home.did("status", "notes")).toMatch(
          new RegExp(
            `Clients: 1\n  ${label}  test 1, connected .*\n\nProcesses: 1\n  pid ${pid}, up \\S+, for ${label}`,
          ),
        );
        const children = await home.did("children", "notes");
        expect(children).toMatch(new RegExp(`^ *${pid} .*\\[${label}\\] .*odd\\.mjs`, "m"));
        expect(children).toContain(`1 client:\n  ${label}  test 1, connected`);
        expect(await home.did("why", "notes")).toMatch(/1 client is\s+connected/);
        expect(await home.did("plan")).toBe(SAME);
      });

      it("is not ready after a crash until it works again, and apply says why one never did", async () => {
        const { home, port, broken, status } = await declared(backend, 'start "on-demand"; share "all"');
        await home.did("apply", "--yes");
        const client = await PlainClient.open(port);
        writeFileSync(broken, "");
        await client.do("exit", { code: 7, said: "out of memory" });
        await eventually(async () => {
          const { ready, state, probes } = await status();
          expect({ ready, state }).toEqual({ ready: false, state: "running" });
          expect(probes.readiness.evidence).toContain("it exited with 3: no such database");
        });
        rmSync(broken);
        await eventually(async () => expect(await status()).toMatchObject({ ready: true, sleeping: true }));
        expect(await client.do("echo", { said: "again" })).toBe("again");
      });
    },
  );

it("a server that cannot start is not applied, although it would start on demand only", async () => {
  const { home, broken } = await declared("agent", `start "on-demand"`, `restart { policy "never"; }`);
  writeFileSync(broken, "");
  const { code, stdout, stderr } = await home.xy("apply", "--yes");
  expect(code).not.toBe(0);
  expect(stdout + stderr).toContain("no such database");
});
