import { type ChildProcess, spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type Endpoint, ListenerProbe } from "../../../src/probes/listener.ts";
import { listeners } from "../../../src/system/listeners.ts";
import { freePort } from "../../rig/port.ts";

/** This test's own process listens: it is the server's, or a stranger's. */
async function listenOn(address: string, port = 0): Promise<number> {
  return (await listening(address, port)).port;
}

/** The same, to be closed before the end of the test. */
async function listening(address: string, port = 0): Promise<{ port: number; close(): Promise<unknown> }> {
  const server = createServer((socket) => socket.destroy()).listen(port, address);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const close = () => {
    server.close();
    return once(server, "close");
  };
  return { port: (server.address() as AddressInfo).port, close };
}

function ask(
  host: string,
  port: number,
  members: () => Promise<readonly number[]>,
  owner?: Endpoint["owner"],
) {
  return new ListenerProbe({ members }).look({ host, port, timeout: 1000, owner });
}

const ours = () => Promise.resolve([process.pid]);
const none = () => Promise.resolve([]);

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["0.0.0.0", "127.0.0.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["127.0.0.1", "localhost"],
])("its listener on %s answers for %s", async (address, host) => {
  const port = await listenOn(address);
  const exposed = address === "0.0.0.0" && host !== "0.0.0.0";
  const more = exposed ? "; it listens on all interfaces (0.0.0.0), not only on 127.0.0.1 as declared" : "";
  expect(await ask(host, port, ours)).toMatchObject({
    ok: true,
    evidence: `pid ${process.pid} listens on ${host}:${port}${host === "localhost" ? " (127.0.0.1)" : ""}${more}`,
    steps: [{ step: "listener" }, { step: "connect" }],
  });
});

test("its listener on another address is none", async () => {
  const port = await listenOn("127.0.0.2");
  expect(await ask("127.0.0.1", port, none)).toMatchObject({
    ok: false,
    evidence: `nothing listens on 127.0.0.1:${port}, only on 127.0.0.2:${port}`,
  });
  expect(await ask("::1", port, none)).toMatchObject({
    evidence: `nothing listens on [::1]:${port}, only on 127.0.0.2:${port}`,
  });
});

test("a stranger's listener is none", async () => {
  const port = await listenOn("127.0.0.1");
  expect(await ask("127.0.0.1", port, none)).toMatchObject({
    ok: false,
    evidence: `127.0.0.1:${port} is held by another process: pid ${process.pid} (node); if it listens in place of this server, as with \`docker run -p\`, write \`owner "any"\` in its check`,
    steps: [{ step: "listener", ok: false }],
  });
});

test("a stranger's listener is as good as its own where that is said, and named", async () => {
  const port = await listenOn("127.0.0.1");
  expect(await ask("127.0.0.1", port, none, "any")).toMatchObject({
    ok: true,
    evidence: `pid ${process.pid} (node) listens in its place (owner "any") on 127.0.0.1:${port}`,
    exposure: `; pid ${process.pid} (node) listens in its place (owner "any")`,
    address: "127.0.0.1",
    steps: [
      { step: "listener", ok: true },
      { step: "connect", ok: true },
    ],
  });
  expect((await ask("127.0.0.1", port, ours, "any")).evidence).toBe(
    `pid ${process.pid} listens on 127.0.0.1:${port}`,
  );
  expect((await ask("127.0.0.1", await freePort(), none, "any")).ok).toBe(false);
});

/** A process that listens, with these words on its command line; and what it descends from. */
async function listeningProcess(
  words: readonly string[],
  detached = false,
): Promise<{ pid: number; port: number }> {
  const program =
    'const s = require("net").createServer((c) => c.destroy()).listen(0, "127.0.0.1", () => process.send(s.address().port))';
  const child: ChildProcess = spawn(process.execPath, ["-e", program, ...words], {
    detached,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [port] = await once(child, "message");
  return { pid: child.pid as number, port: Number(port) };
}

test("a listener that descends from the server is told to be its own child", async () => {
  const { pid, port } = await listeningProcess([], true);
  expect((await ask("127.0.0.1", port, ours)).evidence).toMatch(
    new RegExp(
      `^127.0.0.1:${port} is held by its own child, in another session: pid ${pid} \\(node\\);.*owner "any"`,
    ),
  );
});

test("a listener of another server of xy's is named as that", async () => {
  const { pid, port } = await listeningProcess(["xy-keeper:work/web"]);
  expect((await ask("127.0.0.1", port, none)).evidence).toBe(
    `127.0.0.1:${port} is held by xy's own work/web: pid ${pid} (node)`,
  );
  const { port: other } = await listeningProcess(["xy-keeper:work/we b"]);
  expect((await ask("127.0.0.1", other, none)).evidence).toContain("is held by another process: pid");
});

test("of a name each address is tried, and the one that answered is told", async () => {
  const port = await listenOn("::1");
  const meant = (await lookup("localhost", { all: true })).map(({ address }) => address);
  expect(await ask("localhost", port, ours)).toMatchObject(
    meant.includes("::1")
      ? {
          ok: true,
          address: "::1",
          evidence: `pid ${process.pid} listens on localhost:${port} (::1)`,
          exposure: `; asked at [::1]:${port}`,
        }
      : { ok: false, evidence: `localhost:${port} refuses connections (127.0.0.1)` },
  );
});

test("its listener on another port is named", async () => {
  const [port, other] = [await freePort(), await listenOn("127.0.0.1")];
  const { ok, evidence } = await ask("127.0.0.1", port, ours);
  expect(ok).toBe(false);
  expect(evidence).toMatch(
    new RegExp(`^nothing listens on port ${port}; it listens on .*127.0.0.1:${other}.* instead$`),
  );
});

test("a look that fails is no answer", async () => {
  const port = await listenOn("127.0.0.1");
  const blind = () => Promise.reject(new Error("cannot ask ps"));
  await expect(ask("127.0.0.1", port, blind)).rejects.toThrow("cannot ask ps");
});

/** A probe of this process, and how often it has read the table of all sockets. */
function counting(): { probe: ListenerProbe; reads: () => number } {
  let count = 0;
  const table = () => {
    count++;
    return listeners();
  };
  return { probe: new ListenerProbe({ members: ours }, table), reads: () => count };
}

test.skipIf(process.platform !== "linux")(
  "what is known to be its socket is not looked up again",
  async () => {
    const { port, close } = await listening("127.0.0.1");
    const { probe, reads } = counting();
    const look = () => probe.look({ host: "127.0.0.1", port, timeout: 1000 });
    const before = await look();
    expect(reads()).toBe(1);
    expect(await look()).toMatchObject({ ok: true, evidence: before.evidence, address: "127.0.0.1" });
    expect(reads()).toBe(1);
    await close();
    expect(await look()).toMatchObject({ ok: false, evidence: `nothing listens on port ${port}` });
    // The same port, and another socket.
    await listenOn("127.0.0.1", port);
    const seen = reads();
    expect((await look()).ok).toBe(true);
    expect(reads()).toBe(seen + 1);
  },
);

test("what comes to own the same port later is somebody else's", async () => {
  const { port, close } = await listening("127.0.0.1");
  let members = ours;
  const probe = new ListenerProbe({ members: () => members() });
  const look = () => probe.look({ host: "127.0.0.1", port, timeout: 1000 });
  expect((await look()).ok).toBe(true);
  await close();
  members = none;
  await listenOn("127.0.0.1", port);
  expect((await look()).evidence).toContain("is held by another process");
});

test("a socket for all addresses is looked up each time: one for this address alone would come first", async () => {
  const port = await listenOn("0.0.0.0");
  const { probe, reads } = counting();
  const look = () => probe.look({ host: "127.0.0.1", port, timeout: 1000 });
  await look();
  expect(reads()).toBe(1);
  expect((await look()).ok).toBe(true);
  expect(reads()).toBe(2);
});
