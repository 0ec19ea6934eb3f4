import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { freePort, type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

interface Listening {
  readonly host?: string;
  /** Where it listens, whatever was declared. */
  readonly address?: string;
  /** How long it takes to end, ms. */
  readonly linger?: number;
}

function declare(home: Home, name: string, port: number, how: Listening = {}): void {
  const { host = "127.0.0.1", address = host, linger = 0 } = how;
  const program = `require('node:net').createServer().listen(${port}, '${address}'); process.on('SIGTERM', () => setTimeout(process.exit, ${linger}))`;
  home.write(
    `servers.d/${name}.yaml`,
    `command: node\nargs: [-e, "${program}"]\nport: ${port}\nhost: ${host}\n`,
  );
}

it("a port is somebody else's only on the addresses that are asked for", async () => {
  const home = newHome();
  const stranger = createServer().listen(0, "127.0.0.2");
  await once(stranger, "listening");
  onTestFinished(() => void stranger.close());
  const { port } = stranger.address() as { port: number };

  declare(home, "web", port);
  expect(await home.did("apply", "--yes")).toContain(`listens on 127.0.0.1:${port}\n`);

  declare(home, "web", port, { host: "0.0.0.0" });
  const { code, stdout } = await home.xy("apply", "--yes");
  expect(stdout).toContain(`error: web: cannot listen: port ${port} is held by pid ${process.pid} (`);
  expect(code).toBe(1);
});

it("servers take over each other's ports in a single apply", async () => {
  const home = newHome();
  const [first, second, third] = [await freePort(), await freePort(), await freePort()];
  declare(home, "a", first);
  declare(home, "b", second, { linger: 500 });
  await home.did("apply", "--yes");
  declare(home, "a", second);
  declare(home, "b", third);
  expect(await home.did("apply", "--yes")).toContain("Apply complete: 0 added, 2 changed, 0 removed.\n");
  expect(await home.servers()).toMatchObject({
    a: { port: second, ready: true },
    b: { port: third, ready: true },
  });
});

it("a server that listens on another address than declared does not become ready", async () => {
  const home = newHome();
  const port = await freePort();
  declare(home, "web", port, { address: "127.0.0.2" });
  await home.did("apply", "--yes", "--no-wait");
  await eventually(async () => {
    expect(await home.did("why", "web")).toContain(
      `is not ready: nothing listens on 127.0.0.1:${port}, only on 127.0.0.2:${port} (`,
    );
  });
  expect(await home.servers()).toMatchObject({ web: { state: "running", ready: null } });
});

const preferring = (home: Home, name: string, port: number) =>
  home.write(
    `servers.d/${name}.kdl`,
    `command "node"\nargs "-e" "require('node:net').createServer().listen({port}, '127.0.0.1')"\nport "auto" prefer=${port}\n`,
  );

it("a server gets the port that it prefers, or the next one, and keeps it until it asks again", async () => {
  const home = newHome();
  const stranger = createServer().listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const { port } = stranger.address() as { port: number };
  preferring(home, "web", port);
  const plan = await home.xy("plan");
  expect(plan.stdout).toMatch(new RegExp(`web.kdl:3:6: port ${port} is taken: using port \\d+ from now on`));
  const [, chosen = ""] = / using port (\d+) from/.exec(plan.stdout) ?? [];
  await home.did("apply", "--yes");
  const row = { name: "web", project: "tools", port: Number(chosen), chosen: true, reset: false };
  expect(await home.json("ports")).toEqual([row]);

  stranger.close();
  await once(stranger, "close");
  expect(await home.did("plan")).toBe("No changes. 1 server matches the configuration.\n");
  expect(await home.did("ports", "--reset", "web")).toContain("web: the next apply chooses its port");
  expect(await home.json("ports")).toEqual([{ ...row, reset: true }]);
  expect(await home.did("plan")).toContain(`port: ${chosen} -> ${port}`);
  await home.did("apply", "--yes");
  expect(await home.json("ports")).toEqual([{ ...row, port }]);
  // What an apply leaves out keeps its port, and the wish for another one.
  preferring(home, "web", Number(chosen));
  home.declare("side");
  await home.did("ports", "--reset", "web");
  await home.did("apply", "--yes", "--only", "side");
  expect(await home.json("ports")).toContainEqual({ ...row, port, reset: true });
  expect(await home.did("plan")).toContain(`port: ${port} -> ${chosen}`);
  preferring(home, "web", port);
  await home.did("apply", "--yes");
  rmSync(join(home.project, "servers.d/side.kdl"));
  await home.did("apply", "--yes");
  // Its own listener is in nobody's way: asked again, it stays where it is.
  await home.did("ports", "--reset", "tools/web");
  expect(await home.did("plan")).toBe("No changes. 1 server matches the configuration.\n");
  await home.did("apply", "--yes");
  expect(await home.json("ports")).toEqual([{ ...row, port }]);

  home.declare("plain");
  await home.did("apply", "--yes");
  expect(await home.xy("ports", "--reset", "plain")).toMatchObject({
    code: 1,
    stderr: "xy: cannot reset the port of plain: xy did not choose it; change it in the configuration\n",
  });
  await home.xy("ports", "--reset", "web", "--reset", "plain");
  expect(await home.json("ports")).toEqual([{ ...row, port }]);
  expect(await home.xy("ports", "--reset", "wbe")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("did you mean web?"),
  });
  // What another supervisor runs has no such thing, and is not called unknown.
  for (const verb of [["ports", "--reset"], ["why"], ["probe"]])
    expect(await home.xy(...verb, "supervisord:site:web")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot do this with supervisord:site:web: it is not xy's"),
    });
});

it("of two servers that prefer one port the first by name has it, and what was kept comes back", async () => {
  const home = newHome();
  const port = await freePort();
  for (const name of ["b", "a"]) preferring(home, name, port);
  await home.did("apply", "--yes");
  const both = (await home.json("ports")) as { name: string; port: number }[];
  expect(both[0]).toMatchObject({ name: "a", port });
  expect(both[1]?.port).toBeGreaterThan(port);
  await home.shell("mv servers.d/b.kdl b.kdl");
  await home.did("apply", "--yes");
  expect(await home.json("ports")).toEqual(both);
  await home.shell("mv b.kdl servers.d/b.kdl; rm servers.d/a.kdl");
  await home.did("apply", "--yes");
  expect(await home.json("ports")).toEqual(both);
});

it("a server of the same project and name in another home keeps its port, and another one is chosen here", async () => {
  const homes = [newHome(), newHome()] as const;
  const ports: unknown[] = [];
  for (const home of homes) {
    const program = "require('node:net').createServer().listen({port}, '127.0.0.1')";
    home.write("servers.d/web.yaml", `command: node\nargs: [-e, "${program}"]\nport: auto\n`);
    await home.did("apply", "--yes");
    const [row] = (await home.json("ports")) as { port: number }[];
    ports.push(row?.port);
    expect(await home.did("plan")).toContain("No changes");
  }
  expect(ports[1]).not.toBe(ports[0]);
});
