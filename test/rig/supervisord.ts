import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll } from "vitest";
import type { SupervisordSite } from "../../src/model/backend-settings.ts";
import { eventually } from "./eventually.ts";
import { SweptFolder } from "./secret-scan.ts";

/** Why there can be no supervisord here; undefined when there can. Under CI there has to be one. */
export function whyNoSupervisord(): string | undefined {
  const why = lookForSupervisord();
  if (why !== undefined && process.env.CI) throw new Error(`cannot test with supervisord: ${why}`);
  if (why !== undefined) console.warn(`SKIPPED, no test with a real supervisord: ${why}`);
  return why;
}

function lookForSupervisord(): string | undefined {
  if (process.platform !== "linux") return "this is not Linux";
  try {
    execFileSync("sh", ["-c", "command -v supervisord"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "supervisord is not installed (Debian: supervisor)";
  }
}

/** A folder with a supervisord of its own, which takes the units in `units/` when it is started. */
export class SupervisordHome {
  readonly folder = new SweptFolder();
  readonly path = this.folder.path;
  readonly env = {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LANG: "C.UTF-8",
    HOME: this.path,
    FROM_SUPERVISORD: "1",
  };
  #child: ChildProcess | undefined;
  #said = "";

  /** `http`: it answers on that port too, to that user and password. `include`: what it reads. */
  constructor({
    http,
    include = `${this.path}/units/*.conf`,
  }: {
    readonly http?: { readonly port: number; readonly user: string; readonly password: string };
    readonly include?: string;
  } = {}) {
    for (const folder of ["units", "logs"]) mkdirSync(join(this.path, folder));
    const lines = [
      "[unix_http_server]",
      `file=${this.path}/sock`,
      ...(http
        ? [
            "[inet_http_server]",
            `port=127.0.0.1:${http.port}`,
            `username=${http.user}`,
            `password=${http.password}`,
          ]
        : []),
      "[rpcinterface:supervisor]",
      "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
      "[supervisorctl]",
      `serverurl=unix://${this.path}/sock`,
      "[supervisord]",
      "nodaemon=true",
      `logfile=${this.path}/supervisord.log`,
      `pidfile=${this.path}/pid`,
      `childlogdir=${this.path}/logs`,
      // Each of its programs takes five.
      "minfds=2000",
      "[include]",
      `files=${include}`,
    ];
    this.folder.write("supervisord.conf", `${lines.join("\n")}\n`);
  }

  write(name: string, text: string): void {
    this.folder.write(join("units", name), text);
  }

  /** Starts it, and waits until it answers. */
  async open(): Promise<this> {
    this.start();
    await eventually(() => {
      if (!existsSync(join(this.path, "sock")))
        throw new Error(`supervisord does not come up: ${this.#said}`);
    });
    return this;
  }

  /** How xy is to reach it. */
  get site(): SupervisordSite & { readonly includeDir: string } {
    return { url: `unix://${this.path}/sock`, includeDir: join(this.path, "units") };
  }

  start(): void {
    const child = spawn("supervisord", ["-c", join(this.path, "supervisord.conf")], {
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#said += text;
      });
    this.#child = child;
  }

  /** What it has printed. */
  get said(): string {
    return this.#said;
  }

  /** What `supervisorctl` prints, with whatever code it ends. */
  ctl(...args: string[]): string {
    const argv = ["-c", join(this.path, "supervisord.conf"), ...args];
    try {
      return execFileSync("supervisorctl", argv, { env: this.env, encoding: "utf8" });
    } catch (error) {
      return String((error as { stdout?: unknown }).stdout);
    }
  }

  /** The states of its programs, as `supervisorctl status` names them: asked on its socket, without a program. */
  async states(): Promise<Record<string, string>> {
    const all = (await this.#call("getAllProcessInfo")).split("</struct>").slice(0, -1);
    return Object.fromEntries(all.map((one) => [stringIn(one, "name"), stringIn(one, "statename")]));
  }

  /** Pid of a program's process. */
  async pidOf(name: string): Promise<number> {
    const answer = await this.#call("getProcessInfo", name);
    return Number(/<name>pid<\/name>\s*<value><int>(\d+)</.exec(answer)?.[1]);
  }

  /** The answer to a call of a method, as it came. */
  async #call(method: string, ...params: (string | boolean)[]): Promise<string> {
    const values = params.map((param) =>
      typeof param === "string" ? `<string>${param}</string>` : `<boolean>${Number(param)}</boolean>`,
    );
    const given = values.map((value) => `<param><value>${value}</value></param>`).join("");
    const body = `<methodCall><methodName>supervisor.${method}</methodName><params>${given}</params></methodCall>`;
    return new Promise((resolve, reject) => {
      const headers = { "Content-Type": "text/xml", "Content-Length": Buffer.byteLength(body) };
      const to = {
        socketPath: join(this.path, "sock"),
        path: "/RPC2",
        method: "POST",
        headers,
        agent: false,
      };
      const asked = request(to, (response) => void text(response).then(resolve, reject));
      asked.once("error", reject);
      asked.end(body);
    });
  }

  remove(name: string): void {
    rmSync(join(this.path, "units", name));
  }

  /** Makes it as it was when it was opened: without programs, whatever they are doing, and without files of units. */
  async clear(): Promise<void> {
    for (const entry of readdirSync(join(this.path, "units")))
      rmSync(join(this.path, "units", entry), { recursive: true });
    await this.#call("reloadConfig");
    const names = Object.keys(await this.states());
    for (const name of names) {
      // Told to stop first, so that it does not start it again.
      await this.#call("stopProcess", name, false);
      await this.#call("signalProcess", name, "KILL");
    }
    await eventually(async () => {
      for (const name of names) await this.#call("removeProcessGroup", name);
      const left = Object.keys(await this.states());
      if (left.length > 0) throw new Error(`supervisord does not let go of ${left.join(", ")}`);
    });
    this.folder.printed("supervisord", this.#said);
  }

  /** Ends it with all its programs, and starts it anew. */
  async restart(): Promise<void> {
    await this.stop();
    await this.open();
  }

  /** Ends it with all its programs. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }

  async close(): Promise<void> {
    await this.stop();
    this.folder.printed("supervisord", this.#said);
    this.folder.remove();
  }
}

const stringIn = (struct: string, member: string): string =>
  new RegExp(`<name>${member}</name>\\s*<value><string>([^<]*)<`).exec(struct)?.[1] ?? "";

/**
 * Has the tests of a file use one supervisord in turn, which is cleared before each: to start it takes longer than most of
 * them do. Each test has a home of xy of its own beside it.
 */
export function supervisordsInTurn(): () => Promise<SupervisordHome> {
  let home: SupervisordHome | undefined;
  afterAll(() => home?.close());
  return async () => {
    // One that a test has left as it cannot be used any more is ended, and says what was wrong with it.
    const isUsable = await home?.clear().then(
      () => true,
      () => false,
    );
    if (isUsable === false) await home?.close();
    if (home === undefined || !isUsable) home = await new SupervisordHome().open();
    else home.folder.search();
    return home;
  };
}
