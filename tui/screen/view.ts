import type { Glyphs } from "../theme/theme.ts";

/** What every layout function needs to know about the place it draws for. */
export interface View {
	readonly width: number;
	readonly glyphs: Glyphs;
	readonly nowMs: number;
	readonly homeDir: string | undefined;
	/** The conversation's folder: paths below it are told from there. */
	readonly cwd: string | undefined;
	/** Items that wait for an answer. */
	readonly waiting: ReadonlySet<string>;
}

/** Under this many columns, rows are cut down to what matters most. */
export const NARROW = 60;
/** Text starts here, so that all of an agent's rows stand in one column. */
export function gutterOf(width: number): number {
	return width < NARROW ? 6 : 7;
}
