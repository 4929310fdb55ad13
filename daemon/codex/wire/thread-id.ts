import { CodexError } from "../method.ts";

const GROUP_LENGTHS = [8, 4, 4, 4, 12];
const SIMPLE_LENGTH = 32;

/** What is wrong with a text as a UUID, in the words of the reference; undefined when it is one. */
function uuidProblem(text: string): string | undefined {
	const at = [...text].findIndex((char) => !/[0-9a-fA-F-]/u.test(char));
	if (at >= 0) {
		const char = [...text][at];
		return `invalid character: expected an optional prefix of \`urn:uuid:\` followed by [0-9a-fA-F-], found \`${char}\` at ${at + 1}`;
	}
	const groups = text.split("-");
	if (groups.length === 1) {
		return text.length === SIMPLE_LENGTH
			? undefined
			: `invalid length: expected length 32 for simple format, found ${text.length}`;
	}
	if (groups.length !== GROUP_LENGTHS.length) {
		return `invalid group count: expected 5, found ${groups.length}`;
	}
	const bad = groups.findIndex((group, index) => group.length !== GROUP_LENGTHS[index]);
	if (bad < 0) return undefined;
	return `invalid group length in group ${bad}: expected ${GROUP_LENGTHS[bad]}, found ${groups[bad]?.length}`;
}

export const isThreadId = (text: string): boolean => uuidProblem(text) === undefined;

/** Thread ids are UUIDs; anything else is refused before anybody is asked for it. `noun` is the method's own word for it. */
export function assertThreadId(text: string, noun: "thread id" | "session id" = "thread id"): void {
	const problem = uuidProblem(text);
	if (problem !== undefined) throw new CodexError(`invalid ${noun}: ${problem}`);
}
