// The release, as `--version` prints it.

/** Version of this package. */
export const VERSION: string = "0.1.0";
