/** Names whose text values are secrets; counts such as `input_tokens` are numbers and stay. */
const SECRET_KEY =
	/token|authori[sz]ation|api[-_]?key|secret|passw(or)?d|cookie|credential|bearer|private[-_]?key/i;

const MASK = "[redacted]";

/** Secrets recognised by their shape inside any text, with what is left of them. */
const PATTERNS: readonly [RegExp, string][] = [
	[/\b(Bearer|Basic)\s+[A-Za-z0-9+/._~=-]{6,}/gi, `$1 ${MASK}`],
	[/\bsk-[A-Za-z0-9_-]{6,}/g, MASK],
	[/\bgh[pousr]_[A-Za-z0-9]{16,}/g, MASK],
	[/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, MASK],
	[/(:\/\/[^\s/:@]*:)[^\s/@]+@/g, `$1${MASK}@`],
	[
		/((?:access_|refresh_|id_|auth_)?token|authorization|api[-_]?key|client_secret|secret|password|passwd)(["']?\s*[=:]\s*["']?)(?!\[redacted\]|Bearer|Basic)[^\s"'&,;}]{4,}/gi,
		`$1$2${MASK}`,
	],
];

const DEPTH_MAX = 6;
const ENTRIES_MAX = 100;
const TEXT_MAX_CHARS = 8192;

/** Whether a text of this name is a secret, whatever it looks like. */
export function isSecretName(name: string): boolean {
	return SECRET_KEY.test(name);
}

/** Blanks out what looks like a secret, and leaves the rest whole. */
export function redactSecrets(text: string): string {
	let out = text;
	for (const [pattern, replacement] of PATTERNS) out = out.replace(pattern, replacement);
	return out;
}

/** Blanks out what looks like a secret, and cuts very long texts. */
export function redactText(text: string): string {
	return redactSecrets(
		text.length > TEXT_MAX_CHARS ? `${text.slice(0, TEXT_MAX_CHARS)}… (${text.length} characters)` : text,
	);
}

function redactError(error: Error, depth: number): Record<string, unknown> {
	const out: Record<string, unknown> = { name: error.name, message: redactText(error.message) };
	if ("code" in error) out["code"] = redactValue(error.code, depth + 1, false);
	if (error.cause !== undefined) out["cause"] = redactValue(error.cause, depth + 1, false);
	return out;
}

function redactObject(value: object, depth: number): unknown {
	if (depth >= DEPTH_MAX) return "[deep]";
	if (value instanceof Error) return redactError(value, depth);
	if (value instanceof Uint8Array) return `[${value.length} bytes]`;
	if (Array.isArray(value))
		return value.slice(0, ENTRIES_MAX).map((one) => redactValue(one, depth + 1, false));
	const entries = Object.entries(value).slice(0, ENTRIES_MAX);
	return Object.fromEntries(
		entries.map(([key, one]) => [key, redactValue(one, depth + 1, isSecretName(key))]),
	);
}

function redactValue(value: unknown, depth: number, secret: boolean): unknown {
	switch (typeof value) {
		case "string":
			return secret ? MASK : redactText(value);
		case "object":
			if (value === null) return null;
			if (secret && Array.isArray(value)) return MASK;
			return redactObject(value, depth);
		case "bigint":
			return value.toString();
		case "function":
		case "symbol":
			return `[${typeof value}]`;
		default:
			return value;
	}
}

/** A JSON-safe copy without secrets and stacks: bounded in depth and length, so that logging can neither fail nor flood. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
	return redactObject(fields, 0) as Record<string, unknown>;
}
