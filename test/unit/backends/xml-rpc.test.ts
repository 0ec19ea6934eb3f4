import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { SupervisordClient } from "../../../src/backends/units/supervisord/client.ts";
import { callXmlRpc, XmlRpcFault } from "../../../src/backends/units/supervisord/xml-rpc.ts";
import { BackendUnreachable } from "../../../src/model/unreachable.ts";

/** A server that answers each call with the same text, and what it was asked. */
async function answering(body: string): Promise<{ url: string; asked: { body: string; auth?: string }[] }> {
  const asked: { body: string; auth?: string }[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      const { authorization } = request.headers;
      asked.push({ body: text, ...(authorization ? { auth: authorization } : {}) });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const value = (inner: string) =>
  `<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value>${inner}</value>\n</param>\n</params>\n</methodResponse>\n`;

it.each([
  ["<int>5</int>", 5],
  ["<boolean>1</boolean>", true],
  ["<boolean>0</boolean>", false],
  ["<string>  a &lt;b&gt; &amp;amp; 007\n</string>", "  a <b> &amp; 007\n"],
  ["<string></string>", ""],
  ["bare", "bare"],
  ["<nil/>", null],
  ["<array><data>\n</data></array>", []],
  ["<array><data>\n<value><int>1</int></value>\n</data></array>", [1]],
  [
    "<array><data><value><array><data><value><string>a</string></value></data></array></value></data></array>",
    [["a"]],
  ],
  [
    "<struct>\n<member>\n<name>pid</name>\n<value><int>812</int></value>\n</member>\n<member>\n<name>name</name>\n<value><string>x</string></value>\n</member>\n</struct>",
    { pid: 812, name: "x" },
  ],
  [`<string>${"&lt;".repeat(50_000)}</string>`, "<".repeat(50_000)],
])("%s is read as it is meant", async (inner, expected) => {
  const { url } = await answering(value(inner));
  expect(await callXmlRpc({ url }, "m", [], 5000)).toEqual(expected);
});

it("a call is written so that it is read as it was meant", async () => {
  const { url, asked } = await answering(value("<int>1</int>"));
  await callXmlRpc({ url, user: "me", password: "p:w" }, "a.b", ["<&>\"'", 5, true], 5000);
  expect(asked).toEqual([
    {
      body: `<?xml version="1.0"?><methodCall><methodName>a.b</methodName><params><param><value><string>&lt;&amp;&gt;&quot;&apos;</string></value></param><param><value><int>5</int></value></param><param><value><boolean>1</boolean></value></param></params></methodCall>`,
      auth: `Basic ${Buffer.from("me:p:w").toString("base64")}`,
    },
  ]);
});

it("a refusal has its code and its words", async () => {
  const fault =
    "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>10</int></value></member><member><name>faultString</name><value><string>BAD_NAME: x</string></value></member></struct></value></fault></methodResponse>";
  const { url } = await answering(fault);
  const failure = await callXmlRpc({ url }, "m", [], 5000).catch((error) => error);
  expect(failure).toBeInstanceOf(XmlRpcFault);
  expect(failure).toMatchObject({ code: 10, message: "BAD_NAME: x" });
});

it("a URL that an earlier version took with a password in it is told without that", async () => {
  const url = "http://me:hush@127.0.0.1:1/RPC2";
  const { message } = new SupervisordClient({ url }).unreachable("nothing listens there");
  expect(message).toContain("cannot reach supervisord at http://127.0.0.1:1/RPC2: nothing listens there");
});

const METHODS = {
  identify: (client) => client.identify(),
  list: (client) => client.list(),
  get: (client) => client.get("x"),
  start: (client) => client.start("x"),
  stop: (client) => client.stop("x", { wait: true }),
  signal: (client) => client.signal("x", "TERM"),
  reread: (client) => client.reread(),
  add: (client) => client.add("x"),
  remove: (client) => client.remove("x"),
  read: (client) => client.read("x", "stdout", 0),
  tail: (client) => client.tail("x", "stderr", 0, 10),
} satisfies Record<string, (client: SupervisordClient) => Promise<unknown>>;

it.each(Object.entries(METHODS))("what answers %s with something else is no supervisord", async (_, call) => {
  const struct = "<struct><member><name>statename</name><value><int>5</int></value></member></struct>";
  const nested = "<array><data><value>".repeat(2000) + "</value></data></array>".repeat(2000);
  for (const inner of [
    "<double>0.5</double>",
    "<nil/>",
    struct,
    "<array><data><value>a</value></data></array>",
    nested,
  ]) {
    const { url } = await answering(value(inner));
    await expect(call(new SupervisordClient({ url }))).rejects.toThrow(BackendUnreachable);
  }
});

it("an answer without an end is not gathered", async () => {
  let sent = 0;
  const server = createServer((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(1 << 20))) sent++;
    };
    response.on("drain", more);
    more();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(new SupervisordClient({ url }).list()).rejects.toThrow("its answer is too long");
  expect(sent).toBeLessThan(32);
});
