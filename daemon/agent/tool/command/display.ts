/** The argv as one line that a shell would split the same way; for people, never run. */
export function displayCommand(argv: readonly string[]): string {
	return argv.map(quoteWord).join(" ");
}

function quoteWord(word: string): string {
	if (/^[A-Za-z0-9+\-./:@\]_]+$/.test(word)) return word;
	if (!word.includes("'")) return `'${word}'`;
	if (!/["$`\\!]/.test(word)) return `"${word}"`;
	return `'${word.replaceAll("'", `'\\''`)}'`;
}
