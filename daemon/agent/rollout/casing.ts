import type { Json } from "./line.ts";

/** `exit_code` → `exitCode`; text that is no name of this kind stays. */
export function camelCase(name: string): string {
	const joined = name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
	return `${joined.slice(0, 1).toLowerCase()}${joined.slice(1)}`;
}

/** `exitCode` → `exit_code`. */
export function snakeCase(name: string): string {
	return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `userMessage` → `UserMessage`. */
export function pascalCase(name: string): string {
	return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

/** An object whose own members are named the other way; what they hold stays as it is. */
export function renamed(value: Json, rename: (name: string) => string): Record<string, unknown> {
	return Object.fromEntries(Object.entries(value).map(([name, member]) => [rename(name), member]));
}
