import { once } from "node:events";
import { createServer } from "node:net";
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
