import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { holderOf, listeners, ownedBy, parseLsof, parseProcNet } from "../../../src/system/listeners.ts";

test("the holder of a port is named, and a free port has none", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  expect(await holderOf(port)).toMatchObject({ pid: process.pid });
  const sockets = (await listeners()).get(port) ?? [];
  expect(sockets).toMatchObject([{ port, address: "127.0.0.1" }]);
  expect(ownedBy([process.pid], sockets)).toMatchObject({ pid: process.pid });
  expect(ownedBy([process.ppid], sockets)).toBeUndefined();
  server.close();
  await once(server, "close");
  expect(await holderOf(port)).toBeUndefined();
});

test("listening rows of /proc/net are read, connections are not", () => {
  const head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
  const row = (local: string, state: string, inode: number) =>
    `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0`;
  const text = [
    head,
    row("0100007F:20E5", "0A", 4711),
    row("00000000:0050", "0A", 4712),
    row("0100007F:20E5", "01", 4713),
    row("00000000000000000000000001000000:1F90", "0A", 4714),
    row("00000000000000000000000000000000:1F91", "0A", 4715),
    "",
  ].join("\n");
  expect(parseProcNet(text)).toEqual([
    { port: 8421, address: "127.0.0.1", socket: "4711" },
    { port: 80, address: "0.0.0.0", socket: "4712" },
    { port: 8080, address: "::1", socket: "4714" },
    { port: 8081, address: "::", socket: "4715" },
  ]);
});

test("the fields of lsof are read", () => {
  const text = ["p812", "f20", "n127.0.0.1:8421", "f21", "n*:80", "p900", "f3", "n[::1]:8080", ""].join("\n");
  expect(parseLsof(text)).toEqual([
    { port: 8421, address: "127.0.0.1", socket: "812" },
    { port: 80, address: "0.0.0.0", socket: "812" },
    { port: 8080, address: "::1", socket: "900" },
  ]);
});
