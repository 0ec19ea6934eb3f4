import type { Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { httpProbe } from "../../../src/probes/http.ts";
import { deadlineIn, exchange, TLS } from "../../../src/probes/http-request.ts";
import { freePort } from "../../rig/port.ts";
import { flood, httpServer, listen, rawServer } from "./rig.ts";

function probe(
  port: number,
  over: { status?: number[]; host?: string; path?: string; timeoutMs?: number } = {},
) {
  const { status = [], host = "localhost", path = "/health", timeoutMs = 5_000 } = over;
  return httpProbe({ address: "127.0.0.1", port, host, path, status, timeoutMs });
}

/** The whole body as text, at most what an exchange takes. */
async function body(port: number, timeoutMs = 5_000, enough = (_: string) => false) {
  let text = "";
  const asked = { method: "GET", address: "127.0.0.1", port, host: "a", path: "/" } as const;
  const done = await exchange({ ...asked, deadline: deadlineIn(timeoutMs) }, () => (piece) => {
    text += piece;
    return enough(text);
  });
  return { ...done, text };
}

describe("an http probe", () => {
  it.each([
    [200, [], true, "200 OK"],
    [204, [], true, "204 No Content"],
    [302, [], false, "302 Found, a redirect to /login"],
    [302, [302], true, "302 Found"],
    [404, [], false, "404 Not Found, expected 200 to 299"],
    [200, [204, 503], false, "200 OK, expected 204 or 503"],
    [503, [503], true, "503 Service Unavailable"],
    [401, [], false, "401 Unauthorized, it wants authorization"],
    [403, [], false, "403 Forbidden, it forbids this request: perhaps its Host header, localhost"],
    [500, [], false, "500 Internal Server Error, it is up and fails"],
  ])("makes of %i, with %j accepted: %s", async (status, accepted, ok, evidence) => {
    const port = await httpServer((_, response) => response.writeHead(status, { Location: "/login" }).end());
    const report = await probe(port, { status: accepted });
    expect(report).toMatchObject({ ok, evidence: `GET /health: ${evidence}` });
    expect(report.steps).toMatchObject([{ step: "GET /health", ok, detail: evidence }]);
  });

  it("asks for the path with the Host header it was given, over a connection of its own", async () => {
    const asked: unknown[] = [];
    const port = await httpServer(({ method, url, headers }, response) => {
      asked.push(method, url, headers.host, headers.connection);
      response.end();
    });
    await probe(port, { host: "my.box:8080", path: "/a?b=c" });
    expect(asked).toEqual(["GET", "/a?b=c", "my.box:8080", "close"]);
  });

  it("needs the head of the answer only", async () => {
    const port = await httpServer((_, response) => void response.writeHead(200).write("and then nothing"));
    expect(await probe(port)).toMatchObject({ ok: true });
  });

  it.each([
    ["accepts and says nothing", () => {}, "gave no answer within 200 ms"],
    ["hangs within its headers", say("HTTP/1.1 200 OK\r\nA: b\r\n"), "gave no answer within 200 ms"],
    [
      "trickles headers",
      (socket: Socket) => {
        const timer = setInterval(() => socket.write("A: b\r\n"), 10);
        socket.once("close", () => clearInterval(timer));
        socket.write("HTTP/1.1 200 OK\r\n");
      },
      "gave no answer within 200 ms",
    ],
    ["sends 1xx only", say("HTTP/1.1 100 Continue\r\n\r\n"), "gave no answer within 200 ms"],
    ["closes", (socket: Socket) => void socket.end(), "closed the connection without an answer"],
    ["resets", (socket: Socket) => void socket.resetAndDestroy(), "closed the connection without an answer"],
    ["greets as SSH", say("SSH-2.0-OpenSSH_9\r\n"), 'does not speak HTTP: it says "SSH-2.0-OpenSSH_9"'],
    ["breaks HTTP", say("HTTP/1.1 two hundred\r\n\r\n"), "answered with broken HTTP"],
    [
      "sends garbage",
      say(Buffer.from([0, 255, 7, 200, 65])),
      'does not speak HTTP: it says "\\u{0}?\\u{7}?A"',
    ],
    ["sends a TLS hello", say(Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0])), TLS],
    ["sends a TLS alert", say(Buffer.from([0x15, 3, 3, 0, 2, 2, 70])), TLS],
    [
      "sends endless headers",
      (socket: Socket) => {
        socket.write("HTTP/1.1 200 OK\r\n");
        flood(socket, `A: ${"b".repeat(1000)}\r\n`);
      },
      "sent headers of more than 16 KiB",
    ],
    [
      "changes the protocol",
      say("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
      "answered with a protocol other than HTTP",
    ],
  ])("says of a server that %s what it did", async (_, welcome, detail) => {
    const port = await rawServer(welcome);
    // Whoever answers is given the time that a busy machine takes.
    const timeoutMs = detail.startsWith("gave no answer") ? 200 : 10_000;
    expect(await probe(port, { timeoutMs })).toMatchObject({
      ok: false,
      evidence: `GET /health: ${detail}`,
    });
  });

  it("says that a server speaks TLS, with a certificate or with an alert", async () => {
    const port = await listen(createTlsServer({}).on("tlsClientError", () => {}));
    expect((await probe(port)).evidence).toBe(`GET /health: ${TLS}`);
    expect(TLS).toMatch(/^speaks TLS.*"tcp".*"command"/);
  });

  it("says so of one that answers plain HTTP only to send it away", async () => {
    const said = "Client sent an HTTP request to an HTTPS server.\n";
    const port = await httpServer((_, response) => response.writeHead(400).end(said));
    expect((await probe(port)).evidence).toBe(`GET /health: ${TLS}`);
  });

  it("does not take a server that hangs up for one that speaks TLS, and asks it once", async () => {
    let came = 0;
    const port = await rawServer((socket) => {
      came++;
      socket.end();
    });
    expect((await probe(port)).evidence).toBe("GET /health: closed the connection without an answer");
    expect(came).toBe(2);
  });

  it.each([
    ["text", "Invalid Host: \u001b[2Jevil\n", 'Forbidden: "Invalid Host: \\u{1b}[2Jevil"'],
    ["JSON", '{"error":{"message":"no such host"}}', 'Forbidden: "no such host"'],
    ["a page", "<html><h1>Blocked</h1></html>", 'Forbidden: "Blocked"'],
    ["much", "x".repeat(100_000), `Forbidden: "${"x".repeat(199)}…"`],
    ["nothing", "", "Forbidden"],
  ])("shows what a 403 says itself, before a guess: %s", async (_, body, said) => {
    const port = await httpServer((_, response) => response.writeHead(403).end(body));
    expect((await probe(port)).evidence).toBe(
      `GET /health: 403 ${said}, it forbids this request: perhaps its Host header, localhost`,
    );
  });

  it("waits for the words of a 403 no longer than for an answer", async () => {
    const port = await httpServer((_, response) => void response.writeHead(403).write("and"));
    expect((await probe(port, { timeoutMs: 300 })).evidence).toContain('403 Forbidden: "and", it forbids');
  });

  it("says that nobody listens", async () => {
    const port = await freePort();
    expect((await probe(port)).evidence).toBe("GET /health: refuses connections");
  });

  it("says that a path or header cannot be sent", async () => {
    const port = await httpServer((_, response) => response.end());
    expect((await probe(port, { path: "/a b" })).evidence).toMatch(/cannot be asked: .*path/);
    expect((await probe(port, { host: "a\nb" })).evidence).toMatch(/cannot be asked: .*header/);
  });

  it("prints nothing of a server's that could move the cursor", async () => {
    const port = await rawServer(say("HTTP/1.1 500 \u001b[31mred\u0007\r\nContent-Length: 0\r\n\r\n"));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
    expect((await probe(port)).evidence).not.toMatch(/[\u0000-\u001f]/);
  });
});

describe("an exchange", () => {
  it("reads a body to its end, or as far as its reader wants", async () => {
    const port = await httpServer((_, response) => {
      response.write("first ");
      response.end("second");
    });
    expect(await body(port)).toMatchObject({ head: { status: 200 }, text: "first second" });
    const endless = await httpServer((_, response) => flood(response, "more "));
    expect(await body(endless, 5_000, (text) => text.length > 10)).not.toHaveProperty("refusal");
  });

  it("ends with its time when the body trickles for ever", async () => {
    const port = await httpServer((_, response) => {
      const timer = setInterval(() => response.write("."), 5);
      response.once("close", () => clearInterval(timer));
    });
    expect(await body(port, 150)).toMatchObject({
      head: { status: 200 },
      refusal: "did not end its answer within 150 ms",
    });
  });

  it("takes no more of 100 MB than it may", async () => {
    let tell = (_bytes: number) => {};
    const sent = new Promise<number>((resolve) => {
      tell = resolve;
    });
    const port = await httpServer(({ socket }, response) => {
      socket.once("close", () => tell(socket.bytesWritten));
      response.writeHead(200, { "Content-Length": 100e6 });
      flood(response, Buffer.alloc(1 << 16));
    });
    const { refusal, text } = await body(port);
    expect(refusal).toBe("sent more than 4 MiB");
    expect(text.length).toBeLessThan(5 << 20);
    // What was read, and what the system holds on both sides of a connection.
    expect(await sent).toBeLessThan(32 << 20);
  });

  it("says that a body is not whole", async () => {
    const port = await httpServer((_, response) => {
      response.writeHead(200, { "Content-Length": 100 });
      response.write("half", () => response.destroy());
    });
    expect((await body(port)).refusal).toBe("cut off its answer");
  });

  it("sends nothing when there is no time left", async () => {
    let asked = 0;
    const port = await httpServer((_, response) => {
      asked++;
      response.end();
    });
    expect(await body(port, 0)).toMatchObject({ refusal: "left no time within 0 ms" });
    await body(port);
    expect(asked).toBe(1);
  });
});

function say(text: string | Buffer): (socket: Socket) => void {
  return (socket) => void socket.write(text);
}
