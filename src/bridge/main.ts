import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { TOKEN_VARIABLE } from "../model/bridge-token.ts";
import { CHILD_NODE_OPTIONS } from "../model/bridge-words.ts";
import { EXIT } from "../model/exit-codes.ts";
import { visible } from "../model/visible.ts";
import { packageVersion } from "../system/package.ts";
import { Bridge } from "./bridge.ts";
import { httpServer } from "./http.ts";
import { type Options, readOptions } from "./options.ts";
import { SessionFolder } from "./session-file.ts";

/** Answers that are under way when the bridge is told to end get so long, ms. */
const LAST_ANSWERS = 1000;

/** What a server may be told to stop with. */
const ENDING = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** Runs a bridge until it is told to end. Returns the exit code. */
export async function runBridge(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv, process.env);
  if (typeof options === "string")
    return failed(EXIT.usage, options, "Run `xy bridge --help` to see how it is used.");
  settleEnvironment(process.env);
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const version = packageVersion();
  const folder =
    options.sessions === undefined
      ? undefined
      : new SessionFolder(options.sessions, (text) => says("err", undefined, text));
  const bridge = new Bridge({ ...options, version, folder, says });
  const server = httpServer(bridge, options.path, options);
  const told = new Promise<undefined>((resolve) => {
    for (const signal of ENDING) process.once(signal, () => resolve(undefined));
  });
  try {
    server.listen(options.port, options.host);
    await once(server, "listening");
    bridge.resume();
  } catch (error) {
    await bridge.close();
    return failed(EXIT.failed, whyNot(error as NodeJS.ErrnoException, options));
  }
  const { address, family, port } = server.address() as AddressInfo;
  process.stderr.write(
    `serves at http://${family === "IPv6" ? `[${address}]` : address}:${port}${options.path}\n`,
  );
  // A server that cannot even be started is no server: whoever runs this bridge has a policy for such.
  const why = await Promise.race([told, bridge.prove().then((end) => end ?? told)]);
  const closed = once(server, "close");
  server.close();
  await bridge.close();
  setTimeout(() => server.closeAllConnections(), LAST_ANSWERS).unref();
  server.closeIdleConnections();
  await closed;
  return why === undefined
    ? EXIT.success
    : failed(EXIT.failed, `cannot serve a server that does not start: ${why}`);
}

/** Leaves what the children are to get. */
function settleEnvironment(env: NodeJS.ProcessEnv): void {
  delete env[TOKEN_VARIABLE];
  const options = env[CHILD_NODE_OPTIONS];
  if (options !== undefined) env.NODE_OPTIONS = options;
  delete env[CHILD_NODE_OPTIONS];
}

function says(stream: "out" | "err", who: string | undefined, text: string): void {
  const to = process[stream === "out" ? "stdout" : "stderr"];
  // A log keeps what was printed as it was; a terminal would obey it.
  to.write(`${who === undefined ? "" : `[${who}] `}${to.isTTY ? visible(text) : text}\n`);
}

function whyNot({ code, message }: NodeJS.ErrnoException, { host, port }: Options): string {
  const where = `cannot listen on ${host}:${port}`;
  if (code === "EADDRINUSE") return `${where}: something else listens there; \`xy ports\` may know what`;
  if (code === "EACCES") return `${where}: this account may not use that port; take one above 1023`;
  return `${where}: ${message}`;
}

function failed(code: number, message: string, hint?: string): number {
  process.stderr.write(`xy: ${visible(message)}\n${hint === undefined ? "" : `${hint}\n`}`);
  return code;
}
