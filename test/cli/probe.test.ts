import { describe, expect, it } from "vitest";
import { freePort, type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

/** Answers each path with the status that it names. */
const STATUS = `require("http").createServer((q, r) => { r.statusCode = Number(q.url.slice(1)); r.end(); })
  .listen(process.argv[1], "127.0.0.1")`;

function declare(home: Home, port: number, more: object): void {
  const server = { command: "node", args: ["-e", STATUS, "{port}"], port, ...more };
  home.write("servers.d/web.json", JSON.stringify(server));
}

describe("xy probe", () => {
  it("shows every step of a good look", async () => {
    const home = newHome();
    const port = await freePort();
    declare(home, port, { readiness: { type: "http", path: "/204" } });
    await home.did("apply", "--yes");
    expect((await home.did("probe", "web")).replace(/\(\d\w*\)/g, "(N)").replace(/pid \d+/, "pid N")).toBe(
      `web (readiness, http)
  ok  listener  pid N listens on 127.0.0.1:${port} (N)
  ok  connect   127.0.0.1:${port} accepts a connection (N)
  ok  GET /204  204 No Content (N)
web is ready: GET /204: 204 No Content
`,
    );
  });

  it("asks for a whole URL: at the server's own address as for a path, elsewhere whoever listens", async () => {
    const home = newHome();
    home.trusts();
    const [port, other] = [await freePort(), await freePort()];
    declare(home, port, { readiness: { type: "http", url: "http://localhost:{port}/204" } });
    await home.did("apply", "--yes");
    expect((await home.did("probe", "web")).replace(/\(\d\w*\)/g, "(N)")).toContain(
      "  ok  GET /204  204 No Content (N)",
    );
    const { pid } = (await home.servers()).web ?? {};
    declare(home, port, { readiness: { type: "http", path: "/204" } });
    expect(await home.did("plan")).toContain("No changes.");
    home.write(
      "servers.d/side.json",
      JSON.stringify({
        command: "sleep",
        args: ["600"],
        port: "none",
        readiness: { type: "http", url: `http://127.0.0.1:${port}/202?a=b`.replace("?a=b", "") },
      }),
    );
    await home.did("apply", "--yes");
    expect((await home.did("probe", "side")).replace(/\(\d\w*\)/g, "(N)")).toBe(
      `side (readiness, http)
  ok  GET http://127.0.0.1:${port}/202  202 Accepted (N)
side is ready: http://127.0.0.1:${port}: GET /202: 202 Accepted
`,
    );
    // Nobody listens there, and the server is not ready; nothing else is harmed.
    const nobody = { readiness: { type: "http", url: `http://127.0.0.1:${other}/` } };
    home.write(
      "servers.d/side.json",
      JSON.stringify({ command: "sleep", args: ["600"], port: "none", ...nobody }),
    );
    expect((await home.xy("apply", "--yes", "--wait-timeout", "1s")).code).toBe(1);
    expect((await home.servers()).web?.pid).toBe(pid);
  });

  it("asks for no URL that leads away, and for none unasked", async () => {
    const home = newHome();
    const said = async (readiness: object) => {
      home.write("servers.d/a.json", JSON.stringify({ command: "sleep", port: 8421, readiness }));
      const { code, stderr } = await home.xy("check");
      return `${code} ${stderr.split("\n")[0]}`;
    };
    const url = "http://127.0.0.1:8765/health";
    expect(await said({ type: "http", url: "http://example.com/" })).toMatch(
      /^3 servers\.d\/a\.json:1:\d+: cannot ask for this url: it leads to another machine; use a host such as/,
    );
    expect(await said({ type: "http", url, path: "/x" })).toMatch(/^3 .*cannot use path beside url/);
    expect(await said({ type: "http", url: "http://localhost:{port}/" })).toMatch(/^0/);
    expect(await said({ type: "http", url, port: 1 })).toMatch(/^3 .*cannot use port beside url/);
    expect(await said({ type: "http", url })).toBe(
      `3 servers.d/a.json:1:${JSON.stringify({ command: "sleep", port: 8421, readiness: "" }).length - 2}: cannot send requests to this url without your consent: ${url}`,
    );
    home.trusts();
    expect(await said({ type: "http", url })).toMatch(/^0/);
    expect(await said({ type: "http", url: "http://example.com/", allowRemote: true })).toMatch(/^0/);
  });

  it("says no with 1, and the server is left alone", async () => {
    const home = newHome();
    declare(home, await freePort(), { liveness: { type: "http", path: "/503" } });
    await home.did("apply", "--yes");
    const { code, stdout } = await home.xy("probe", "web", "--which", "liveness");
    expect(stdout).toContain("  no  GET /503  503 Service Unavailable, it is up and fails (");
    expect(stdout).toContain("\nweb is not healthy: GET /503: 503 Service Unavailable");
    expect(code).toBe(1);
    expect(await home.servers()).toMatchObject({ web: { state: "running", ready: true, restart_count: 0 } });
  });

  it("of a server that does not run says so", async () => {
    const home = newHome();
    declare(home, await freePort(), {});
    await home.did("apply", "--yes");
    await home.did("stop", "web");
    const { code, stdout } = await home.xy("probe", "web");
    expect(stdout).toContain("web is not ready: web does not run: it is stopped\n");
    expect(code).toBe(1);
  });

  it("shows no secret that the server sends, nor the beginning of one that is cut off", async () => {
    const home = newHome();
    home.write("servers.d/secret.txt", `s3cr3t ${"so long that no status holds it ".repeat(3)}`);
    const answers = `require("http").createServer((q, r) => r.writeHead(500, process.env.TOKEN).end())
      .listen(process.argv[1], "127.0.0.1")`;
    const env = { TOKEN: { secret: { file: "secret.txt" } } };
    declare(home, await freePort(), { args: ["-e", answers, "{port}"], env, liveness: { type: "http" } });
    await home.did("apply", "--yes");
    for (const how of [[], ["--json"]]) {
      const { stdout } = await home.xy("probe", "web", "--which", "liveness", ...how);
      expect(stdout).toContain("500 (secret TOKEN)…, it is up and fails");
      expect(stdout).not.toContain("s3cr3t");
    }
  });

  it("of a program shows what it said, and no secret", async () => {
    const home = newHome();
    home.trusts();
    home.write("servers.d/secret.txt", "s3cr3t of a probe\n");
    const check = { type: "command", command: "sh", args: ["-c", "echo token $TOKEN for {port}"] };
    const port = await freePort();
    declare(home, port, { readiness: check, env: { TOKEN: { secret: { file: "secret.txt" } } } });
    const applied = await home.did("apply", "--yes");
    expect(applied).toMatch(new RegExp(`ready: \\S+/sh exit 0: token \\(secret TOKEN\\) for ${port}\n`));
    expect(await home.did("probe", "web")).toMatch(
      new RegExp(`exit 0: token \\(secret TOKEN\\) for ${port}\n`),
    );
  });

  it("is told what a probe's program is that cannot be found", async () => {
    const home = newHome();
    home.trusts();
    declare(home, await freePort(), { readiness: { type: "command", command: "no-such-check" } });
    const { code, stdout } = await home.xy("plan");
    expect(stdout).toMatch(/^error: servers.d\/web.json:1:\d+: cannot find the program "no-such-check"/m);
    expect(code).toBe(1);
  });
});

describe("another readiness of a running server", () => {
  it("is waited for, and the server is left alone", async () => {
    const home = newHome();
    const port = await freePort();
    declare(home, port, {});
    await home.did("apply", "--yes");
    const { pid } = (await home.servers()).web as { pid: number };
    declare(home, port, { readiness: { type: "http", path: "/200" } });
    expect(await home.did("apply", "--yes")).toContain("web: changed in place: ready: GET /200: 200 OK\n");
    expect(await home.servers()).toMatchObject({ web: { pid, ready: true, restart_count: 0 } });
  });

  it("that is not met is taken back", async () => {
    const home = newHome();
    const port = await freePort();
    declare(home, port, {});
    await home.did("apply", "--yes");
    const { pid } = (await home.servers()).web as { pid: number };
    declare(home, port, { readiness: { type: "http", path: "/404" } });
    const { code, stdout } = await home.xy("apply", "--yes", "--wait-timeout", "500ms");
    expect(stdout).toMatch(
      /web: cannot change: not ready after 500ms: .*404.*; its previous version is put back/,
    );
    expect(code).toBe(1);
    expect(await home.servers()).toMatchObject({ web: { pid, restart_count: 0 } });
    expect((await home.xy("plan", "--detailed-exitcode")).code).toBe(4);
  });
});
