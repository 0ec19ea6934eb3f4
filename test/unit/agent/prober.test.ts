import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { Incarnation } from "../../../src/agent/incarnation.ts";
import { Prober } from "../../../src/agent/prober.ts";
import type { Probe } from "../../../src/model/spec.ts";
import { serverSpec } from "../../rig/spec.ts";

/** This test's own process listens: it is the server's, or a stranger's. */
async function listenOn(address: string, port = 0): Promise<number> {
  const server = createServer((socket) => socket.destroy()).listen(port, address);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function ask(host: string, port: number, members: () => Promise<readonly number[]>) {
  const timing = { interval: 1000, timeout: 1000, successThreshold: 1, failureThreshold: 1, startPeriod: 0 };
  const probe: Extract<Probe, { type: "tcp" }> = { type: "tcp", port, ...timing };
  const prober = new Prober({ members } as Incarnation);
  return prober.tcp(serverSpec("web", "/bin/true", [], { host, port }), probe);
}

const ours = () => Promise.resolve([process.pid]);
const strangers = () => Promise.resolve([process.ppid]);

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["0.0.0.0", "127.0.0.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["127.0.0.1", "localhost"],
])("its listener on %s answers for %s", async (address, host) => {
  const port = await listenOn(address);
  expect(await ask(host, port, ours)).toEqual({
    ok: true,
    evidence: `pid ${process.pid} listens on ${host}:${port}`,
  });
});

test("its listener on another address is none", async () => {
  const port = await listenOn("127.0.0.2");
  expect(await ask("127.0.0.1", port, ours)).toEqual({
    ok: false,
    evidence: `nothing listens on 127.0.0.1:${port}, only on 127.0.0.2:${port}`,
  });
  expect(await ask("::1", port, ours)).toMatchObject({
    evidence: `nothing listens on [::1]:${port}, only on 127.0.0.2:${port}`,
  });
});

test("a stranger's listener is none", async () => {
  const port = await listenOn("127.0.0.1");
  expect(await ask("127.0.0.1", port, strangers)).toEqual({
    ok: false,
    evidence: `127.0.0.1:${port} is held by another process`,
  });
});

test("a look that fails is no answer", async () => {
  const port = await listenOn("127.0.0.1");
  const blind = () => Promise.reject(new Error("cannot ask ps"));
  await expect(ask("127.0.0.1", port, blind)).rejects.toThrow("cannot ask ps");
});
