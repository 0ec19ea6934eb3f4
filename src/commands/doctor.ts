import { asking } from "../backends/ask.ts";
import type { Around } from "../doctor/check.ts";
import { EXIT } from "../model/exit-codes.ts";
import { isIll } from "../model/finding.ts";
import { thisAccount } from "../system/account.ts";
import { osHere } from "../system/account-here.ts";
import { oldestNode, packageVersion } from "../system/package.ts";
import { knownHome, pathsOf } from "../system/paths.ts";
import { STATE_FOLDER, seenProblem } from "../system/private-folder.ts";
import { isPrivateGroup } from "../system/private-group.ts";
import { doctorView } from "../views/doctor.ts";
import { BaseCommand } from "./base.ts";
import { placeOf } from "./configuration.ts";

/** Longest run of a program that is asked, ms. */
const ASK_BOUND = 4000;

export default class Doctor extends BaseCommand {
  static override summary = "Check this machine for what can keep servers from working.";
  static override description =
    "Looks at Node, programs, the state folder, the agent, login start, leftovers, npx's cache, consent, clients' files and " +
    "editors' types. Each finding comes with its consequence and the command that mends it. Only looks: it changes nothing, " +
    "starts no agent and evaluates no configuration. Exits with 1 if something does not work; warnings and notes alone are 0.";
  static override examples = ["<%= config.bin %> doctor", "<%= config.bin %> doctor --json"];
  static override enableJsonFlag = true;

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const [{ CHECKS }, { examine }] = await Promise.all([
      import("../doctor/checks.ts"),
      import("../doctor/examine.ts"),
    ]);
    const checks = await examine(CHECKS, await around(flags), (titles) => {
      if (process.stderr.isTTY) this.hint(`Still looking at: ${titles.join(", ")}`);
    });
    const ill = isIll(checks);
    if (ill) process.exitCode = EXIT.failed;
    const hasHome = knownHome(process.env) !== undefined;
    const { shorten, ...screen } = this.screen;
    await this.show(
      { ok: !ill, checks },
      {
        text: ({ checks: shown }) => doctorView(shown, { ...screen, ...(hasHome && shorten && { shorten }) }),
      },
    );
  }
}

/** The state folder counts only if nobody else can have put anything there. */
async function around(flags: { config?: string | undefined }): Promise<Around> {
  const { recordedIn, NOTHING_RECORDED } = await import("../doctor/recorded.ts");
  const { env } = process;
  const home = knownHome(env);
  const { uid, username } = thisAccount();
  const folder = home === undefined ? undefined : pathsOf(env).state;
  const runtime = folder === undefined ? undefined : pathsOf(env).runtime;
  const ask = asking({ XDG_RUNTIME_DIR: runtime ?? `/run/user/${uid}` });
  const state = folder !== undefined && seenProblem(folder, STATE_FOLDER) === undefined ? folder : undefined;
  return {
    ...{ env, home, state, account: { uid, username }, now: Date.now(), version: packageVersion() },
    os: osHere(),
    node: { path: process.execPath, version: process.versions.node, needs: oldestNode() },
    recorded: state === undefined ? NOTHING_RECORDED : recordedIn(state),
    ...(home !== undefined && { search: { ...placeOf(flags), machine: { home, uid }, isPrivateGroup } }),
    ask: (program, args, bound = ASK_BOUND) => ask(program, args, Math.min(bound, ASK_BOUND)),
  };
}
