import { visible } from "../model/visible.ts";
import { homeOf } from "../system/paths.ts";

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
