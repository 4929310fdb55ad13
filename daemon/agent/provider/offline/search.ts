/** A line that answers a query. */
export interface Match {
	/** As cited: relative to the workspace, or the notes file. */
	path: string;
	/** 1-based; 0 when it is the name of the file that fits. */
	line: number;
	text: string;
	score: number;
}

export interface SearchResult {
	/** Best first, at most `MAX_SHOWN`, at most three of one file. */
	best: readonly Match[];
	lineCount: number;
	fileCount: number;
}

const MAX_SHOWN = 10;
const MAX_PER_FILE = 3;
/** Beyond this the query is too common to rank by line. */
const MAX_CANDIDATES = 20_000;
const MAX_TEXT_CHARS = 200;

const STOP_WORDS: ReadonlySet<string> = new Set(
	`a about all am an and any are as at be been but by can could did do does done for from get give had has have hello hey hi how i if in
	into is it its me my no not of on or our please should show so some tell thank thanks that the their them then there these they this
	those to up us use used was we were what when where which who whose why will with work works would you your`.split(
		/\s+/,
	),
);
const DEFINES =
	/^\s*(?:export\s+)?(?:default\s+|async\s+|abstract\s+|pub\s+|public\s+|private\s+|static\s+)*(?:function|class|interface|type|enum|const|let|var|def|fn|func|struct|trait|impl|module|package)\b|^#{1,6}\s/;

/** Words worth looking for, lower case, each once; `literal` keeps the query whole, as quotes do. */
export function searchTerms(query: string, literal: boolean): string[] {
	const text = query.trim().replace(/[?!.]+$/, "");
	const quoted = [...text.matchAll(/["'`]([^"'`]+)["'`]/g)].map((match) => (match[1] ?? "").toLowerCase());
	if (quoted.length > 0) return [...new Set(quoted)];
	if (literal) return text === "" ? [] : [text.toLowerCase()];
	const words = text.toLowerCase().split(/[^\p{L}\p{N}_.\-/$#@]+/u);
	const kept = words
		.map((word) => word.replace(/^[.\-/]+|[.\-/]+$/g, ""))
		.filter((word) => word.length > 1 && !STOP_WORDS.has(word));
	return [...new Set(kept)];
}

interface Candidate {
	path: string;
	line: number;
	text: string;
	/** Which terms it has, by index. */
	terms: number[];
}

/** Collects lines as files come; the ranking needs to have seen all, as rare words count for more. */
export interface Search {
	add(file: { path: string; text: string }): void;
	finish(): SearchResult;
}

export function createSearch(terms: readonly string[]): Search {
	const candidates: Candidate[] = [];
	const filesWith = terms.map(() => 0);
	const wholeWords = terms.map((term) => {
		const escaped = term.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
		return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, "iu");
	});
	/** Half of the words must be there, else a long question fits every line. */
	const wanted = Math.ceil(terms.length / 2);
	let files = 0;

	function has(text: string): number[] {
		const lower = text.toLowerCase();
		return terms.flatMap((term, index) => (lower.includes(term) ? [index] : []));
	}

	function scoreOf(candidate: Candidate): number {
		const inPath = new Set(has(candidate.path));
		let score = DEFINES.test(candidate.text) ? 1 : 0;
		for (const index of candidate.terms) {
			score += 1 + Math.log((files + 1) / (1 + (filesWith[index] ?? 0)));
			if (wholeWords[index]?.test(candidate.text)) score += 0.5;
		}
		score += inPath.size * 0.5;
		return candidate.terms.length === terms.length ? score + 1 : score;
	}

	return {
		add({ path, text }) {
			files += 1;
			const found = has(text);
			for (const index of found) filesWith[index] = (filesWith[index] ?? 0) + 1;
			const named = has(path.slice(path.lastIndexOf("/") + 1));
			if (named.length >= wanted) candidates.push({ path, line: 0, text: "(the file's name)", terms: named });
			if (found.length < wanted) return;
			for (const [index, line] of text.split("\n").entries()) {
				if (candidates.length >= MAX_CANDIDATES) return;
				const there = has(line);
				if (there.length >= wanted) candidates.push({ path, line: index + 1, text: line, terms: there });
			}
		},
		finish() {
			const ranked = candidates
				.map((candidate) => ({
					path: candidate.path,
					line: candidate.line,
					text: shown(candidate.text),
					score: scoreOf(candidate),
				}))
				.sort((a, b) => b.score - a.score || (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line));
			const perFile = new Map<string, number>();
			const best: Match[] = [];
			for (const match of ranked) {
				const count = perFile.get(match.path) ?? 0;
				perFile.set(match.path, count + 1);
				if (count < MAX_PER_FILE && best.length < MAX_SHOWN) best.push(match);
			}
			return { best, lineCount: ranked.length, fileCount: perFile.size };
		},
	};
}

/** One line, no control characters: it goes to terminals. */
function shown(text: string): string {
	const clean = text.replaceAll(/\p{Cc}+/gu, " ").trim();
	return clean.length > MAX_TEXT_CHARS ? `${clean.slice(0, MAX_TEXT_CHARS)}…` : clean;
}
