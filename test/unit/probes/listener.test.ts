import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ListenerProbe } from "../../../src/probes/listener.ts";
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

function ask(host: string, port: number, members: () => Promise<readonly number[]>) {
  return new ListenerProbe({ members }).look({ host, port, timeout: 1000 });
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
    evidence: `pid ${process.pid} listens on ${host}:${port}${more}`,
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
    evidence: `127.0.0.1:${port} is held by another process: pid ${process.pid} (node)`,
    steps: [{ step: "listener", ok: false }],
  });
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
