import type { CodexLink } from "../link.ts";
import { type Overrides, overrideLine } from "./override.ts";

/** The same link, with the overrides in the requests that take them. */
export function overrideLink(link: CodexLink, overrides: Overrides): CodexLink {
	if (Object.keys(overrides).length === 0) return link;
	return {
		...link,
		onMessage: (listener) => link.onMessage((text) => listener(overrideLine(text, overrides))),
	};
}
