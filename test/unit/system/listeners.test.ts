import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import {
  holderOf,
  listeners,
  listenersFor,
  obstaclesTo,
  outputOf,
  ownedBy,
  parseLsof,
  parseProcNet,
} from "../../../src/system/listeners.ts";

test("the holder of a port is named, and a free port has none", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  expect(await holderOf(port)).toMatchObject({ pid: process.pid });
  expect(await holderOf(port, "0.0.0.0")).toMatchObject({ pid: process.pid });
  expect(await holderOf(port, "127.0.0.2")).toBeUndefined();
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
    row("0000000000000000FFFF00000100007F:1F92", "0A", 4716),
    row("000080FE00000000FF005450B6AD1DFE:1F93", "0A", 4717),
    "",
  ].join("\n");
  expect(parseProcNet(text)).toEqual([
    { port: 8421, address: "127.0.0.1", socket: "4711" },
    { port: 80, address: "0.0.0.0", socket: "4712" },
    { port: 8080, address: "::1", socket: "4714" },
    { port: 8081, address: "::", socket: "4715" },
    { port: 8082, address: "127.0.0.1", socket: "4716" },
    { port: 8083, address: "fe80::5054:ff:fe1d:adb6", socket: "4717" },
  ]);
});

test("the fields of lsof are read", () => {
  const rows = [
    ["p812", "f20", "tIPv4", "n127.0.0.1:8421", "f21", "tIPv4", "n*:80", "f22", "tIPv6", "n*:81"],
    ["p900", "f3", "tIPv6", "n[::1]:8080", "f4", "tIPv6", "n[fe80::1%lo0]:8081", ""],
  ];
  expect(parseLsof(rows.flat().join("\n"))).toEqual([
    { port: 8421, address: "127.0.0.1", socket: "812" },
    { port: 80, address: "0.0.0.0", socket: "812" },
    { port: 81, address: "::", socket: "812" },
    { port: 8080, address: "::1", socket: "900" },
    { port: 8081, address: "fe80::1", socket: "900" },
  ]);
});

test.each([
  ["nothing listens", { code: 1, stdout: "", stderr: "" }, ""],
  ["it may not see all", { code: 1, stdout: "p1\n", stderr: "cannot stat" }, "p1\n"],
])("an lsof that fails has an answer when %s", (_, failure, output) => {
  expect(outputOf(failure)).toBe(output);
});

test.each([
  ["is not there", { code: "ENOENT" }],
  ["takes too long", { code: null, stdout: "p1\n", stderr: "" }],
  ["says too much", { code: "ERR_CHILD_PROCESS_STDIO_MAXBUFFER", stdout: "p1\n", stderr: "" }],
  ["only complains", { code: 1, stdout: "", stderr: "lsof: illegal option" }],
])("an lsof that %s has no answer", (_, failure) => {
  expect(() => outputOf(failure)).toThrow();
});

describe("of the listeners on one port", () => {
  const at = (...addresses: string[]) => addresses.map((address) => ({ port: 80, address, socket: address }));
  const every = at("127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::");
  const addressesOf = (found: readonly { address: string }[]) => found.map(({ address }) => address);

  test.each([
    ["127.0.0.1", every, ["127.0.0.1"]],
    ["127.0.0.1", at("127.0.0.2", "::1"), []],
    ["127.0.0.1", at("127.0.0.2", "0.0.0.0"), ["0.0.0.0"]],
    ["127.0.0.1", at("::", "0.0.0.0"), ["0.0.0.0"]],
    ["127.0.0.1", at("::", "::1"), ["::"]],
    ["::ffff:127.0.0.1", every, ["127.0.0.1"]],
    ["0.0.0.0", every, ["127.0.0.1"]],
    ["0.0.0.0", at("127.0.0.2", "0.0.0.0"), ["0.0.0.0"]],
    ["::1", every, ["::1"]],
    ["0:0:0:0:0:0:0:1", every, ["::1"]],
    ["::1", at("127.0.0.1", "0.0.0.0"), []],
    ["::1", at("0.0.0.0", "::"), ["::"]],
    ["::", every, ["::1"]],
    ["::", at("127.0.0.1", "::"), ["::"]],
    ["localhost", every, ["127.0.0.1", "::1"]],
    ["LocalHost", at("127.0.0.2", "::"), ["::"]],
    ["my-machine", at("127.0.0.2", "::1"), ["127.0.0.2", "::1"]],
  ])("a connection to %s reaches, %#", (host, sockets, reached) => {
    expect(addressesOf(listenersFor(sockets, host))).toEqual(reached);
  });

  test.each([
    ["127.0.0.1", ["127.0.0.1", "0.0.0.0", "::"]],
    ["127.0.0.3", ["0.0.0.0", "::"]],
    ["::ffff:127.0.0.2", ["127.0.0.2", "0.0.0.0", "::"]],
    ["0.0.0.0", ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::"]],
    ["::1", ["::1", "::"]],
    ["::", ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"]],
    ["localhost", ["127.0.0.1", "0.0.0.0", "::1", "::"]],
    ["my-machine", ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"]],
  ])("a server on %s cannot listen beside", (host, obstacles) => {
    expect(addressesOf(obstaclesTo(every, host))).toEqual(obstacles);
  });
});
