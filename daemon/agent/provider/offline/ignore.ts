/** Says whether a path, relative to the root with `/` between, is to be passed over. */
export type IsIgnored = (path: string, isFolder: boolean) => boolean;

interface Rule {
	/** Folder of the file that holds the rule, with a trailing `/`; empty at the root. */
	base: string;
	pattern: RegExp;
	negated: boolean;
	folderOnly: boolean;
}

function patternOf(glob: string): RegExp {
	const anchored = glob.slice(0, -1).includes("/");
	const body = glob.replace(/^\//, "").replace(/\/$/, "");
	const source = body.replaceAll(/\*\*\/|\/\*\*$|\*+|\?|[.+^${}()|[\]\\]/g, (token) => {
		if (token === "**/") return "(?:[^/]+/)*";
		if (token === "/**") return "/.+";
		if (token.startsWith("*")) return "[^/]*";
		return token === "?" ? "[^/]" : `\\${token}`;
	});
	return new RegExp(anchored ? `^${source}$` : `^(?:[^/]+/)*${source}$`);
}

/** The rules of one .gitignore: comments, negation, anchors, folders, `*`, `**`, `?`; character classes are taken literally. */
export function parseIgnoreFile(text: string, base: string): Rule[] {
	return text.split(/\r?\n/).flatMap((raw) => {
		const line = raw.trim();
		if (line === "" || line.startsWith("#")) return [];
		const negated = line.startsWith("!");
		const glob = negated ? line.slice(1) : line;
		if (glob === "" || glob === "/") return [];
		return [{ base, pattern: patternOf(glob), negated, folderOnly: glob.endsWith("/") }];
	});
}

/** The last rule that fits decides, as git does it. */
export function createIgnore(rules: readonly Rule[]): IsIgnored {
	return (path, isFolder) => {
		let ignored = false;
		for (const rule of rules) {
			if (rule.folderOnly && !isFolder) continue;
			if (path.startsWith(rule.base) && rule.pattern.test(path.slice(rule.base.length)))
				ignored = !rule.negated;
		}
		return ignored;
	};
}

export type IgnoreRule = Rule;
