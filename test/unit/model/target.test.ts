import { expect, test } from "vitest";
import type { SupervisordSite } from "../../../src/model/backend-settings.ts";
import { isReadable, isRemote, targetOf, urlFault, withPassword } from "../../../src/model/target.ts";

test.each([
  "unix:///run/supervisor.sock",
  "http://localhost",
  "http://localhost:9001/RPC2",
  "http://LOCALHOST:9001",
  "http://localhost.:9001",
  "http://127.0.0.1:9001",
  "http://127.8.9.10",
  "http://127.1",
  "http://2130706433:9001",
  "http://0x7f.1",
  "http://0177.0.0.1",
  "https://[::1]:9001/RPC2",
  "http://[0:0:0:0:0:0:0:1]",
  "http://[::ffff:127.0.0.1]",
])("%s stays on this machine", (url) => {
  expect(isRemote(url)).toBe(false);
  expect(isReadable(url)).toBe(false);
});

test.each([
  "http://localhost.evil.com",
  "http://evil.localhost.com",
  "http://notlocalhost",
  "http://127.0.0.1.evil.com",
  "http://127.0.0.1.nip.io:9001",
  "http://127.0.0.1@evil.com/",
  "http://localhost:9001@evil.com/",
  "http://evil.com#@127.0.0.1",
  "http://evil.com?@localhost",
  "http://evil.com\\@localhost",
  "http://0.0.0.0:9001",
  "http://128.0.0.1",
  "http://10.0.0.1",
  "http://3232235777",
  "http://[::]:9001",
  "http://[::ffff:10.0.0.1]",
  "http://[::ffff:128.0.0.1]",
  "http://[fe80::1]",
  "http://[::127.0.0.1]",
  "https://127.0.0.1.example",
  "unix:/run/x",
  "http://",
  "",
])("%s may lead elsewhere", (url) => {
  expect(isRemote(url)).toBe(true);
});

test("what is sent to another machine can be read on its way, but for https", () => {
  expect(isReadable("http://example.com")).toBe(true);
  expect(isReadable("https://example.com")).toBe(false);
});

test.each([
  ["http://localhost:9001", "http://localhost:9001/RPC2"],
  ["http://LOCALHOST:80/", "http://localhost/RPC2"],
  ["http://me:pw@localhost:9001/RPC2", "http://localhost:9001/RPC2"],
  ["http://2130706433/x", "http://127.0.0.1/x"],
  ["unix:///run/a.sock", "unix:///run/a.sock"],
  ["http://me:p w@", "http://me:p w@"],
  ["ftp://me:pw@host", "ftp://host/RPC2"],
  ["http://me:p@ss@:99999", "http://:99999"],
])("%s leads to %s", (url, target) => {
  expect(targetOf(url)).toBe(target);
});

test.each([
  ["http://me:pw@localhost", "credentials"],
  ["http://me@localhost", "credentials"],
  ["http://127.0.0.1@evil.com/", "credentials"],
  ["http://@localhost", "credentials"],
  ["http://localhost:99999", "no-url"],
  ["http://localhost:9001", undefined],
  ["unix:///run/a@b.sock", undefined],
])("%s: %s", (url, fault) => {
  expect(urlFault(url)).toBe(fault);
});

const site = (url: string, more: Partial<SupervisordSite> = {}): SupervisordSite => ({
  url,
  includeDir: "/units",
  ...more,
});
const LAST = site("http://localhost:9001", { user: "me", password: "old" });

test.each<[string, SupervisordSite, string | undefined]>([
  ["the same target and user", site("http://localhost:9001/RPC2", { user: "me" }), "old"],
  ["another port", site("http://localhost:9002", { user: "me" }), undefined],
  ["another host", site("http://127.0.0.1:9001", { user: "me" }), undefined],
  ["another scheme", site("https://localhost:9001", { user: "me" }), undefined],
  ["another path", site("http://localhost:9001/other", { user: "me" }), undefined],
  ["a socket", site("unix:///run/s", { user: "me" }), undefined],
  ["another user", site("http://localhost:9001", { user: "you" }), undefined],
  ["no user", site("http://localhost:9001"), undefined],
  ["a password of its own", site("http://localhost:9001", { user: "me", password: "new" }), "new"],
])("for %s the password is the right one", (_, now, password) => {
  expect(withPassword(now, LAST).password).toBe(password);
});
