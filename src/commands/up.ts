import { endSession, type FollowEnd, type SessionEvent, SessionFollower } from "../backends/agent/session.ts";
import { EXIT } from "../model/exit-codes.ts";
import type { Change, Plan } from "../model/plan.ts";
import type { ProcessId } from "../model/process.ts";
import { isUpOrRestarting } from "../model/states.ts";
import type { Stop } from "../operation/outcome.ts";
import { identify } from "../system/processes.ts";
import type { LineScreen } from "../views/logs.ts";
import { sessionFormat, sessionSummary } from "../views/session.ts";
import { appliedOrEnd, applyFront, applyWorld, waitMsOf } from "./applying.ts";
import { BaseCommand } from "./base.ts";
import { settingOf } from "./configuration.ts";
import { reaching } from "./endings.ts";
import { defaultsFlag, selectionFlags, trustFlags, waitFlags, yesFlag } from "./flags.ts";
import { AGENT_DIED, missedText, rawFlag } from "./line-flags.ts";

export default class Up extends BaseCommand {
  static override summary = "Apply and follow all logs; Ctrl-C stops what this started.";
  static override description =
    "For a session in one terminal. Ctrl-C, or closing the terminal, stops the servers that this command started, and " +
    "holds none of them. Servers that were already running keep running, and so do servers that you start by hand " +
    "meanwhile. It asks only before it stops, changes or removes something that already exists, and the first time for " +
    "each configuration. It exits when no server is running any more, with 1 if a server did not start or the last ones failed.";
  static override examples = ["<%= config.bin %> up", "<%= config.bin %> up --only web --only db"];
  static override doing = "planning";
  static override enableJsonFlag = true;
  static override flags = {
    ...yesFlag,
    ...trustFlags,
    ...selectionFlags,
    ...waitFlags,
    ...defaultsFlag,
    ...rawFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Up);
    const waitMs = waitMsOf(this, flags);
    const since = Date.now();
    const session = identify(process.pid) ?? this.fail(EXIT.failed, "cannot tell this process from others");
    const plan = await this.#bringUp(session, { ...flags, waitMs });
    // Only start an agent if there is something to follow.
    if (!plan.changes.some(isFollowed)) return;
    const names = plan.changes.filter(isFollowed).map(nameOf);
    const followed = { project: plan.project, names, since, raw: flags.raw };
    const follower = new SessionFollower(
      this.state,
      followed,
      this.#teller(followed.names, this.lineScreen(flags.raw)),
    );
    await this.#follow(follower, session);
  }

  /** Asks only about changes that the end of the session does not undo. */
  async #bringUp(session: ProcessId, flags: Flags): Promise<Plan> {
    const { applyConfiguration } = await import("../operation/applying/apply.ts");
    const { only, except, waitMs, rollback, yes } = flags;
    let hasBegun = false;
    const begins = () => {
      hasBegun = true;
    };
    try {
      const outcome = await applyConfiguration(
        applyFront(this, { begins, defaults: flags.defaults }),
        applyWorld(this),
        {
          setting: settingOf(this, flags),
          ...{ only, except, waitMs, rollback, fleet: { session }, review: refuseOthers },
          asksAbout: yes ? "none" : "lasting",
        },
      );
      return appliedOrEnd(this, outcome).plan;
    } catch (error) {
      if (hasBegun) await endSession(this.state, session).catch(() => undefined);
      throw error;
    }
  }

  /** Follows until no server is running, or until Ctrl-C and then until the servers of this session have stopped. */
  async #follow(follower: SessionFollower, session: ProcessId): Promise<void> {
    const isInterruptedEarly = this.signal.aborted;
    const enough = new AbortController();
    const following = reaching(this, () => follower.run(enough.signal));
    const interrupted = new Promise<"told">((resolve) => {
      if (this.signal.aborted) resolve("told");
      this.signal.addEventListener("abort", () => resolve("told"), { once: true });
    });
    const end = await Promise.race([following, interrupted]);
    if (end !== "told") return this.#endedBySelf(end, follower);
    if (!isInterruptedEarly) this.interruptionIsTheEnd();
    this.tell("\nStopping the servers of this session; press Ctrl-C again to quit without waiting.");
    const ended = await endSession(this.state, session);
    await follower.hasToldRest(ended?.stopped ?? []);
    enough.abort();
    await following.catch(() => undefined);
    if (!ended) this.fail(EXIT.unreachable, NO_AGENT);
    const { stopped, failed } = ended;
    const left = [...follower.states].filter(
      ([name, state]) => isUpOrRestarting(state) && !stopped.includes(name),
    );
    this.tell(sessionSummary({ stopped, failed, left: left.map(([name]) => name) }));
    if (failed.length > 0) process.exitCode = EXIT.failed;
  }

  #endedBySelf(end: FollowEnd, { states }: SessionFollower): void {
    if (end === "no-agent") this.fail(EXIT.unreachable, NO_AGENT);
    const failed = [...states].filter(([, state]) => state === "failed").map(([name]) => name);
    if (failed.length > 0)
      this.fail(EXIT.failed, `no server is running any more; failed: ${failed.join(", ")}`);
    this.tell("No server is running any more.");
  }

  #teller(names: readonly string[], screen: LineScreen): (event: SessionEvent) => void {
    const format = sessionFormat(names, screen);
    return (event) => {
      if (event.type === "lost") return this.note(AGENT_DIED);
      if (event.type === "line" && event.line.missed)
        this.hint(missedText(event.line.name, event.line.missed));
      this.showLine(event.type === "line" ? event.line : event, () => textOf(event, format));
    };
  }
}

const NO_AGENT = "the agent was told to exit; the next one stops what this session started";

type Flags = {
  readonly waitMs: number | undefined;
  readonly rollback: boolean;
  readonly yes: boolean;
  readonly trust: boolean;
  readonly defaults: boolean;
  readonly config?: string | undefined;
  readonly only?: string[] | undefined;
  readonly except?: string[] | undefined;
};

function textOf(
  event: Exclude<SessionEvent, { type: "lost" }>,
  format: ReturnType<typeof sessionFormat>,
): string | undefined {
  switch (event.type) {
    case "line":
      return format.line(event.line);
    case "state":
      return format.state(event.name, event.state, event.reason);
    case "removed":
      return format.removed(event.name);
  }
}

/** The agent ends a session, so only servers that it runs can be in one. */
function refuseOthers({ changes }: Plan): Stop | undefined {
  const others = changes.filter(({ desired }) => desired !== undefined && desired.backend !== "agent");
  const [first] = others;
  if (first?.desired === undefined) return undefined;
  const names = others.map(nameOf).join(", ");
  const message = `cannot bring up ${names} for a session: ${first.desired.backend} has no sessions; use \`xy apply\`, or leave ${others.length === 1 ? "it" : "them"} out with --except`;
  return { why: "usage", message };
}

const nameOf = ({ server }: Change) => server;

function isFollowed({ action, desired }: Change): boolean {
  return action !== "remove" && desired?.wanted !== "ignore";
}
