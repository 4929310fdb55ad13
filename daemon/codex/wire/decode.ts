import { CodexError } from "../method.ts";

/** Reads one value of a request; refuses with the words of the reference server's parser. */
export interface Decoder<T> {
	readonly decode: (value: unknown) => T;
	/** What an absent member reads as; undefined where it must be there. */
	readonly absent?: { readonly value: T };
}

export type Decoded<D> = D extends Decoder<infer T> ? T : never;

/** A refusal in the reference's words for params that do not fit. */
export function invalidRequest(text: string): CodexError {
	return new CodexError(`Invalid request: ${text}`);
}

/** How the reference names what it found. */
function describeValue(value: unknown): string {
	if (value === null || value === undefined) return "null";
	if (typeof value === "boolean") return `boolean \`${value}\``;
	if (typeof value === "number") {
		return Number.isInteger(value) ? `integer \`${value}\`` : `floating point \`${value}\``;
	}
	if (typeof value === "string") return `string ${JSON.stringify(value)}`;
	return Array.isArray(value) ? "sequence" : "map";
}

/** The refusal of a value of another type; `expected` as the reference names it. */
export function wrongType(value: unknown, expected: string): CodexError {
	return invalidRequest(`invalid type: ${describeValue(value)}, expected ${expected}`);
}

export const string: Decoder<string> = {
	decode(value) {
		if (typeof value !== "string") throw wrongType(value, "a string");
		return value;
	},
};

export const boolean: Decoder<boolean> = {
	decode(value) {
		if (typeof value !== "boolean") throw wrongType(value, "a boolean");
		return value;
	},
};

const U32_MAX = 4_294_967_295;

function integer(name: string, min: number, max: number): Decoder<number> {
	return {
		decode(value) {
			if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(value, name);
			if (value < min || value > max) {
				throw invalidRequest(`invalid value: integer \`${value}\`, expected ${name}`);
			}
			return value;
		},
	};
}

/** Numbers by the names that the reference gives them in its refusals. */
export const u32 = integer("u32", 0, U32_MAX);
export const i64 = integer("i64", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

/** Takes any value as it is. */
export const anything: Decoder<unknown> = { decode: (value) => value };

export type JsonObject = Readonly<Record<string, unknown>>;

/** An object, and no array. */
export function isObject(value: unknown): value is JsonObject {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const object: Decoder<JsonObject> = {
	decode(value) {
		if (!isObject(value)) throw wrongType(value, "a map");
		return value;
	},
};

/** Absent and null read as null. */
export function optional<T>(of: Decoder<T>): Decoder<T | null> {
	return {
		absent: { value: null },
		decode: (value) => (value === null || value === undefined ? null : of.decode(value)),
	};
}

/** Absent reads as undefined, null as null: "leave it" and "take it away" differ. */
export function clearable<T>(of: Decoder<T>): Decoder<T | null | undefined> {
	return { absent: { value: undefined }, decode: (value) => (value === null ? null : of.decode(value)) };
}

/** A member that may be left out, and is `value` then. */
export function withDefault<T>(of: Decoder<T>, value: T): Decoder<T> {
	return { ...of, absent: { value } };
}

/** An array of these; the first that does not fit is refused as it would be alone. */
export function list<T>(of: Decoder<T>): Decoder<readonly T[]> {
	return {
		decode(value) {
			if (!Array.isArray(value)) throw wrongType(value, "a sequence");
			return value.map((entry) => of.decode(entry));
		},
	};
}

function variants(names: readonly string[]): string {
	const quoted = names.map((name) => `\`${name}\``);
	if (quoted.length === 1) return `expected ${quoted[0]}`;
	if (quoted.length === 2) return `expected ${quoted[0]} or ${quoted[1]}`;
	return `expected one of ${quoted.join(", ")}`;
}

/** The refusal of a word that is none of the names, which it lists. */
export function unknownVariant(found: string, names: readonly string[]): CodexError {
	return invalidRequest(`unknown variant \`${found}\`, ${variants(names)}`);
}

/** One of these words. */
export function oneOf<const N extends string>(names: readonly N[]): Decoder<N> {
	return {
		decode(value) {
			if (typeof value !== "string") throw wrongType(value, "string or map");
			const known = names.find((name) => name === value);
			if (known === undefined) throw unknownVariant(value, names);
			return known;
		},
	};
}

type Fields = Readonly<Record<string, Decoder<unknown>>>;
type Struct<F extends Fields> = { [K in keyof F]: Decoded<F[K]> };

function members<F extends Fields>(given: JsonObject, fields: F): Struct<F> {
	const found: Record<string, unknown> = {};
	for (const [name, value] of Object.entries(given)) {
		const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
		if (field !== undefined) found[name] = field.decode(value);
	}
	for (const [name, field] of Object.entries(fields)) {
		if (Object.hasOwn(found, name)) continue;
		if (field.absent === undefined) throw invalidRequest(`missing field \`${name}\``);
		found[name] = field.absent.value;
	}
	return found as Struct<F>;
}

/** Members that are not named are ignored; `size` is the number of members of the reference's own type, for its words. */
export function struct<F extends Fields>(name: string, fields: F, size?: number): Decoder<Struct<F>> {
	return {
		decode(value) {
			if (Array.isArray(value)) {
				const elements = size ?? Object.keys(fields).length;
				throw invalidRequest(
					`invalid length ${value.length}, expected struct ${name} with ${elements} elements`,
				);
			}
			if (!isObject(value)) throw wrongType(value, `struct ${name}`);
			return members(value, fields);
		},
	};
}

/** An object whose member `type` says which members belong to it; kept whole. */
export function tagged(
	name: string,
	kinds: Readonly<Record<string, Fields>>,
): Decoder<JsonObject & { type: string }> {
	const names = Object.keys(kinds);
	return {
		decode(value) {
			if (!isObject(value)) throw wrongType(value, `internally tagged enum ${name}`);
			const type = value["type"];
			if (type === undefined) throw invalidRequest("missing field `type`");
			if (typeof type !== "string") throw wrongType(type, "variant identifier");
			const fields = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
			if (fields === undefined) throw unknownVariant(type, names);
			return { ...value, ...members(value, fields), type };
		},
	};
}
