import { describe, expect, it } from "vitest";
import { isOwnTarget, probeTarget } from "../../../src/model/probe-url.ts";

const near = { port: 8765, allowRemote: false };

describe("the URL of a check", () => {
  it.each([
    ["http://127.0.0.1:8765/health", { host: "127.0.0.1", port: 8765, path: "/health" }],
    ["http://localhost", { host: "localhost", port: 80, path: "/" }],
    ["http://[::1]:9/a?b=c#d", { host: "::1", port: 9, path: "/a?b=c" }],
    ["http://127.0.0.1:{port}/health", { host: "127.0.0.1", port: 8765, path: "/health" }],
    ["HTTP://LOCALHOST:1/", { host: "localhost", port: 1, path: "/" }],
    ["http://2130706433:7/", { host: "127.0.0.1", port: 7, path: "/" }],
  ])("%s", (url, target) => expect(probeTarget(url, near)).toEqual(target));

  it.each([
    ["https://127.0.0.1/", "plain HTTP only"],
    ["ftp://127.0.0.1/", "write a URL"],
    ["127.0.0.1:80", "write a URL"],
    ["/health", "write a URL"],
    ["http://a:b@127.0.0.1/", "a user or password"],
    ["http://@127.0.0.1/", "a user or password"],
    ["http://example.com/", "leads to another machine"],
    ["http://127.0.0.1.example.com/", "leads to another machine"],
    ["http://0.0.0.0/", "leads to another machine"],
    ["http://127.0.0.1:99999/", "write a URL"],
  ])("%s is none", (url, fault) =>
    expect(probeTarget(url, near)).toEqual({ fault: expect.stringContaining(fault) }),
  );

  it("may lead elsewhere where that is allowed, and needs a port to fill in", () => {
    expect(probeTarget("http://example.com/x", { port: null, allowRemote: true })).toEqual({
      host: "example.com",
      port: 80,
      path: "/x",
    });
    expect(probeTarget("http://localhost:{port}/", { port: null, allowRemote: false })).toMatchObject({
      fault: expect.stringContaining("no port"),
    });
  });
});

it.each([
  ["127.0.0.1", 1, undefined, 1, true],
  ["localhost", 1, "127.0.0.1", 1, true],
  ["::1", 1, "localhost", 1, true],
  ["127.0.0.1", 2, "127.0.0.1", 1, false],
  ["127.0.0.1", 1, "127.0.0.1", null, false],
  ["example.com", 1, "127.0.0.1", 1, false],
  ["10.0.0.1", 1, "10.0.0.1", 1, true],
])("%s:%d is that of a server on %s:%s: %s", (host, port, own, ownPort, is) =>
  expect(isOwnTarget({ host, port, path: "/" }, { host: own, port: ownPort })).toBe(is),
);
