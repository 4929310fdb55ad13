const WORD = /\s+|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/y;

/** The words of a line that was quoted for a shell; undefined where a quote has no end. */
export function shellWords(line: string): string[] | undefined {
	const words: string[] = [];
	let word: string | undefined;
	WORD.lastIndex = 0;
	while (WORD.lastIndex < line.length) {
		const match = WORD.exec(line);
		if (!match) return undefined;
		const [, single, double, escaped, plain] = match;
		const part = single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? plain;
		if (part !== undefined) {
			word = (word ?? "") + part;
		} else if (word !== undefined) {
			words.push(word);
			word = undefined;
		}
	}
	return word === undefined ? words : [...words, word];
}

const SHELL = /^(?:\S*\/)?(?:ba|z|da|k)?sh$/;

/** What a shell is asked to run, and how it is called; undefined for anything but `shell -c script`. */
export function shellScript(argv: readonly string[]): { shell: string; script: string } | undefined {
	const [program = "", flag = "", script] = argv;
	if (argv.length !== 3 || script === undefined || !SHELL.test(program) || !/^-l?c$/.test(flag))
		return undefined;
	return { shell: `${program} ${flag}`, script };
}

/** One word so that a shell would read it back as it is. */
export function quoteWord(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
