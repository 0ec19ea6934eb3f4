import { NO_HOME } from "../model/machine.ts";
import { visible } from "../model/visible.ts";
import { homeOf, knownHome, whyNoHome } from "../system/paths.ts";

/** Nothing can be searched for from a working folder that was deleted: moves to the home folder. */
export function standSomewhere(): void {
  try {
    process.cwd();
  } catch {
    const place = homeOf(process.env);
    process.chdir(place);
    process.stderr.write(`xy: the working folder no longer exists: working in ${visible(place)} instead\n`);
  }
}

/** For a command that works without a home folder, as in a container whose account is in no user database. */
export function goWithoutHome(): void {
  if (knownHome(process.env) !== undefined) return;
  process.env.HOME = NO_HOME;
  process.stderr.write(`xy: the home folder is not known: ${whyNoHome()}; ${NO_HOME} stands for it\n`);
}
