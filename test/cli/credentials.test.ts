import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

/** A listener that answers each call in the same way, and the credentials that came. */
async function target(location?: string): Promise<{ url: string; came: (string | undefined)[] }> {
  const came: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const { authorization } = request.headers;
    came.push(authorization && Buffer.from(authorization.replace("Basic ", ""), "base64").toString());
    request.resume();
    if (location === undefined) response.writeHead(500).end();
    else response.writeHead(307, { location }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, came };
}

function configure(home: Home, url: string, more = ""): void {
  home.trusts();
  const site = `url ${JSON.stringify(url)}; include-dir ${JSON.stringify(join(home.path, "units"))}; ${more}`;
  home.write("xy.config.kdl", `backend "supervisord"\nsupervisord { ${site}}\n`);
}

const OWN = 'user "me"; password "for-the-old"; ';

/** A project that was applied, as far as that goes, with a password for the old target. */
async function appliedTo(old: string): Promise<Home> {
  const home = newHome();
  home.declare("a");
  configure(home, old, OWN);
  expect(await home.xy("apply", "--yes")).toMatchObject({ code: 2 });
  return home;
}

it("a password is sent to the target that it was declared for, and not to the next one", async () => {
  const [old, next] = [await target(), await target()];
  const home = await appliedTo(old.url);
  expect(new Set(old.came)).toEqual(new Set(["me:for-the-old"]));

  // Where it is not declared any more, the one that was used last is: for the same target.
  old.came.length = 0;
  configure(home, `${old.url}/RPC2`, 'user "me"; ');
  expect(await home.xy("apply", "--yes")).toMatchObject({ code: 2 });
  expect(new Set(old.came)).toEqual(new Set(["me:for-the-old"]));

  old.came.length = 0;
  configure(home, next.url, 'user "me"; ');
  expect(await home.xy("apply", "--yes")).toMatchObject({ code: 2 });
  expect(new Set(next.came)).toEqual(new Set(["me:"]));
  expect(old.came).toEqual([]);
});

it("a redirect is not followed", async () => {
  const next = await target();
  const old = await target(`${next.url}/RPC2`);
  const home = await appliedTo(old.url);
  expect((await home.xy("apply", "--yes")).stderr).toContain("it answered with HTTP 307");
  expect(next.came).toEqual([]);
});

it.each([
  ["http://example.com:9001", "cannot use http://example.com:9001/RPC2: it leads to another machine"],
  ["http://127.0.0.1.example.com", "it leads to another machine"],
  ["http://0.0.0.0:9001", "it leads to another machine"],
  ["http://me:hush@127.0.0.1:9001", "cannot use a URL with a user or password in it"],
  ["http://127.0.0.1@example.com", "cannot use a URL with a user or password in it"],
  ["ftp://me:hush@example.com", 'cannot use "ftp://example.com" for supervisord.url'],
  ["http://127.0.0.1:99999", "cannot read this as a URL"],
])("%s is refused before anything is sent, and told without credentials", async (url, words) => {
  const home = newHome();
  home.declare("a");
  configure(home, url, OWN);
  const { code, stderr } = await home.xy("plan");
  expect(stderr).toMatch(/^xy\.config\.kdl:2:\d+: /);
  expect(stderr).toContain(words);
  expect(stderr).not.toContain("hush");
  expect(code).toBe(3);
});

it("another machine may be allowed, and a password that can be read on its way is warned of", async () => {
  const home = newHome();
  home.declare("a");
  // No such host, on any machine.
  configure(home, "http://xy.invalid:9001", `${OWN}allow-remote #true; `);
  const { code, stdout, stderr } = await home.xy("apply", "--yes");
  expect(stdout + stderr).toContain("its host is unknown");
  expect(stdout + stderr).toContain(
    "supervisord's password is sent to http://xy.invalid:9001/RPC2 unencrypted",
  );
  expect(code).toBe(2);
});
