/** The machine and account that a configuration is evaluated for. */
export interface Machine {
  readonly os: "linux" | "macos" | "other";
  /** As Node says it: `x64`, `arm64`, … */
  readonly arch: string;
  /** Short host name, without the domain, as the network or a person has it: a configuration knows it in lower case. */
  readonly host: string;
  readonly user: string;
  /** Account's numeric user id. */
  readonly uid: number;
  readonly home: string;
  /** Nobody has said where that is: {@link NO_HOME} stands for it. */
  readonly isHomeless?: true;
  /** Absent where it is not known: of another machine. */
  readonly shell?: string;
  /** The locale for services. */
  readonly lang: string;
  /** Absent where it is not known: another Mac has a folder of its own for each account. */
  readonly tmpdir?: string;
  /** XDG_RUNTIME_DIR of the account when it exists. */
  readonly runtimeDir?: string;
}

/** Stands for a home folder that is not known: nothing is ever there, and nothing can be made there. */
export const NO_HOME = "/nonexistent";

/**
 * A name for an account that nobody has. A machine is given it so that whatever is made from the name can be told from
 * the same word elsewhere: a code point that is no character.
 */
export const ACCOUNT = "\u{FDD4}";
