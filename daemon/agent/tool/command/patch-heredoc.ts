import { isAbsolute, join } from "node:path";
import { parseShell } from "../../../policy/shell/parse.ts";

export interface PatchCommand {
	patch: string;
	/** Where its paths start, when the command changes the folder first. */
	cwd: string;
}

/**
 * Recognises a command that only calls `apply_patch`, by here-document or argument, maybe behind one `cd FOLDER &&`.
 * Anything more, or any doubt, is an ordinary command.
 */
export function extractPatchCommand(command: string, cwd: string): PatchCommand | undefined {
	const heredoc =
		/^\s*(?:cd[ \t]+([^\n;&|<>]+?)[ \t]*&&[ \t]*)?apply_?patch[ \t]*<<-?[ \t]*(['"]?)(\w+)\2[ \t]*\n([\s\S]*?)\n[ \t]*\3\s*$/.exec(
			command,
		);
	const body = heredoc?.[4];
	if (body !== undefined) {
		const folder = heredoc?.[1] === undefined ? cwd : singleWord(heredoc[1], cwd);
		return folder === undefined ? undefined : { patch: body, cwd: folder };
	}
	const commands = parseShell(command);
	const only = commands?.length === 1 ? commands[0] : undefined;
	const [program, argument, ...rest] = only?.words ?? [];
	if (program === undefined || argument === undefined || rest.length > 0) return undefined;
	if (!/^apply_?patch$/.test(program.text) || only?.redirects.length !== 0 || argument.dynamic)
		return undefined;
	return { patch: argument.text, cwd };
}

function singleWord(text: string, cwd: string): string | undefined {
	const word = parseShell(`cd ${text}`)?.[0]?.words;
	const folder = word?.[1];
	if (word?.length !== 2 || folder === undefined || folder.dynamic || folder.glob || folder.tilde)
		return undefined;
	return isAbsolute(folder.text) ? folder.text : join(cwd, folder.text);
}
