/** What is wrong with a text, and how many of its characters a reader has taken when it notices. */
interface Fault {
	readonly message: string;
	readonly taken: number;
}

/** A reader over one text: each step gives the fault it meets, or moves on. */
interface Cursor {
	readonly text: string;
	at: number;
	/** Lists and objects around the cursor. */
	depth: number;
}

/** As deep as the reference reads; also what keeps this reader off the end of the stack. */
const DEPTH_MAX = 127;
const ESCAPES = '"\\/bfnrt';
const IDENTS: Readonly<Record<string, string>> = { t: "true", f: "false", n: "null" };
const NUMBER = /(-?)(?:(0\d)|(0|[1-9]\d*)|)(\.\d*)?(?:([eE][+-]?)(\d*))?/y;

function skipBlank(cursor: Cursor): string | undefined {
	while (" \t\r\n".includes(cursor.text[cursor.at] ?? "x")) cursor.at += 1;
	return cursor.text[cursor.at];
}

/** The text ended too early: the place is its last character. */
const ended = (cursor: Cursor, what: string): Fault => ({
	message: `EOF while parsing ${what}`,
	taken: cursor.text.length,
});

/** The character at the cursor is the wrong one. */
const wrong = (cursor: Cursor, message: string): Fault => ({ message, taken: cursor.at + 1 });

function readEscape(cursor: Cursor): Fault | null {
	const kind = cursor.text[cursor.at];
	if (kind === undefined) return ended(cursor, "a string");
	if (kind !== "u") {
		if (!ESCAPES.includes(kind)) return wrong(cursor, "invalid escape");
		cursor.at += 1;
		return null;
	}
	const digits = cursor.text.slice(cursor.at + 1, cursor.at + 5);
	if (digits.length < 4) return ended(cursor, "a string");
	cursor.at += 5;
	return /^[\da-fA-F]{4}$/.test(digits) ? null : { message: "invalid escape", taken: cursor.at };
}

function readString(cursor: Cursor): Fault | null {
	cursor.at += 1;
	for (;;) {
		const next = cursor.text[cursor.at];
		if (next === undefined) return ended(cursor, "a string");
		if (next < " ")
			return {
				message: "control character (\\u0000-\\u001F) found while parsing a string",
				taken: cursor.at,
			};
		cursor.at += 1;
		if (next === '"') return null;
		if (next !== "\\") continue;
		const fault = readEscape(cursor);
		if (fault !== null) return fault;
	}
}

function readIdent(cursor: Cursor, word: string): Fault | null {
	for (const letter of word) {
		const next = cursor.text[cursor.at];
		if (next === undefined) return ended(cursor, "a value");
		if (next !== letter) return wrong(cursor, "expected ident");
		cursor.at += 1;
	}
	return null;
}

function readNumber(cursor: Cursor): Fault | null {
	NUMBER.lastIndex = cursor.at;
	const [all = "", , zeroes, whole, fraction, exponent, digits] = NUMBER.exec(cursor.text) ?? [];
	const isWhole = whole !== undefined && fraction !== "." && (exponent === undefined || digits !== "");
	if (isWhole) {
		cursor.at += all.length;
		return null;
	}
	// A second digit after a leading zero is the wrong one; else what comes after the part that could be read.
	const good = zeroes === undefined ? all.length : all.indexOf("0") + 1;
	cursor.at += good;
	return cursor.at >= cursor.text.length ? ended(cursor, "a value") : wrong(cursor, "invalid number");
}

/** What follows a member: another one, or the end. Undefined: another one. */
function readSeparator(cursor: Cursor, end: string, what: string): Fault | null | undefined {
	const next = skipBlank(cursor);
	if (next === undefined) return ended(cursor, what);
	if (next !== "," && next !== end) return wrong(cursor, `expected \`,\` or \`${end}\``);
	cursor.at += 1;
	if (next === end) return null;
	const after = skipBlank(cursor);
	if (after === undefined) return ended(cursor, "a value");
	return after === end ? wrong(cursor, "trailing comma") : undefined;
}

function readList(cursor: Cursor): Fault | null {
	cursor.at += 1;
	const first = skipBlank(cursor);
	if (first === undefined) return ended(cursor, "a list");
	if (first === "]") {
		cursor.at += 1;
		return null;
	}
	for (;;) {
		const fault = readValue(cursor) ?? readSeparator(cursor, "]", "a list");
		if (fault !== undefined) return fault;
	}
}

function readMember(cursor: Cursor): Fault | null {
	if (skipBlank(cursor) !== '"') return wrong(cursor, "key must be a string");
	const fault = readString(cursor);
	if (fault !== null) return fault;
	const colon = skipBlank(cursor);
	if (colon === undefined) return ended(cursor, "an object");
	if (colon !== ":") return wrong(cursor, "expected `:`");
	cursor.at += 1;
	return readValue(cursor);
}

function readObject(cursor: Cursor): Fault | null {
	cursor.at += 1;
	const first = skipBlank(cursor);
	if (first === undefined) return ended(cursor, "an object");
	if (first === "}") {
		cursor.at += 1;
		return null;
	}
	for (;;) {
		const fault = readMember(cursor) ?? readSeparator(cursor, "}", "an object");
		if (fault !== undefined) return fault;
	}
}

function readNested(cursor: Cursor, read: (cursor: Cursor) => Fault | null): Fault | null {
	if (cursor.depth === DEPTH_MAX) return wrong(cursor, "recursion limit exceeded");
	cursor.depth += 1;
	const fault = read(cursor);
	cursor.depth -= 1;
	return fault;
}

function readValue(cursor: Cursor): Fault | null {
	const next = skipBlank(cursor);
	if (next === undefined) return ended(cursor, "a value");
	if (next === '"') return readString(cursor);
	if (next === "{" || next === "[") return readNested(cursor, next === "{" ? readObject : readList);
	const word = IDENTS[next];
	if (word !== undefined) return readIdent(cursor, word);
	if (next === "-" || (next >= "0" && next <= "9")) return readNumber(cursor);
	return wrong(cursor, "expected value");
}

/** Columns are counted in bytes of UTF-8; the one of a character that is taken is that of its first byte. */
function place(text: string, taken: number, isEnd: boolean): string {
	const from = text.lastIndexOf("\n", isEnd ? taken - 1 : taken - 2) + 1;
	const bytes = isEnd
		? Buffer.byteLength(text.slice(from, taken))
		: Buffer.byteLength(text.slice(from, taken - 1)) + 1;
	return `at line ${text.slice(0, from).split("\n").length} column ${bytes}`;
}

/** Why a text is no JSON, and where, in the words that models know from the reference server; null for what is JSON. */
export function jsonFault(text: string): string | null {
	const cursor: Cursor = { text, at: 0, depth: 0 };
	let fault = readValue(cursor);
	if (fault === null && skipBlank(cursor) !== undefined) fault = wrong(cursor, "trailing characters");
	if (fault === null) return null;
	return `${fault.message} ${place(text, fault.taken, fault.message.startsWith("EOF"))}`;
}
