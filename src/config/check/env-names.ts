/** Names that a shell sets, or that would break the shell between xy and the program. */
const SHELL_NAMES: ReadonlySet<string> = new Set(
  "_ BASHOPTS EUID IFS LINENO OLDPWD OPTARG OPTIND PPID PS1 PS2 PS4 PWD SHELLOPTS SHLVL UID".split(" "),
);

/** Why a server cannot get a variable of this name as declared; undefined for nearly all names. */
export function nameFault(name: string): string | undefined {
  if (SHELL_NAMES.has(name) || name.startsWith("_xy_"))
    return "the shell that starts the program uses that name";
  // Not every library keeps a key of that name in a JavaScript object.
  return name === "__proto__" ? "xy cannot record a variable with that name" : undefined;
}
