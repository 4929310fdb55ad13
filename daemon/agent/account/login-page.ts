/** Text that may come from a URL, safe inside HTML. */
function escapeHtml(text: string): string {
	return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** One short page for the person's browser; no scripts, nothing from elsewhere. */
export function loginPage(title: string, text: string): string {
	const style = "font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:15vh auto;padding:0 1em";
	const [head, body] = [escapeHtml(title), escapeHtml(text)];
	return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${head}</title><body style="${style}"><h1>${head}</h1><p>${body}</p></body></html>`;
}
