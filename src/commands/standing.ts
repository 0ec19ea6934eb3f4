import { NO_HOME } from "../model/machine.ts";
import { visible } from "../model/visible.ts";
import { homeOf, knownHome, whyNoHome } from "../system/paths.ts";

/** A working folder that was deleted is none that anything can be looked for from. */
export function standSomewhere(): void {
  try {
    process.cwd();
  } catch {
    const place = homeOf(process.env);
    process.chdir(place);
    process.stderr.write(
      `xy: the working folder is not there any more: working in ${visible(place)} instead\n`,
    );
  }
}

/** For a command that needs no home folder, as in a container of an account that nobody has written down. */
export function goWithoutHome(): void {
  if (knownHome(process.env) !== undefined) return;
  process.env.HOME = NO_HOME;
  process.stderr.write(`xy: the home folder is not known: ${whyNoHome()}; ${NO_HOME} stands for it\n`);
}
