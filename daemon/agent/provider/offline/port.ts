export interface FolderEntry {
	name: string;
	/** `other`: links, sockets, devices; never followed or read. */
	kind: "file" | "folder" | "other";
}

/** What the offline agent may see of the disk; it only reads. */
export interface WorkspaceFiles {
	/** Nothing when the folder cannot be read. */
	list(folder: string): Promise<readonly FolderEntry[]>;
	/** Null when it cannot be read, is over `maxBytes`, or is no text. */
	readText(path: string, maxBytes: number): Promise<string | null>;
}

export interface Note {
	/** 1-based line in the notes file. */
	line: number;
	text: string;
}

/** Notes kept for the person, across threads and restarts. */
export interface Notes {
	/** Absolute, for citations. */
	readonly file: string;
	/** Durable when it resolves. One line; line breaks become blanks. */
	add(text: string): Promise<void>;
	/** Oldest first. */
	list(): Promise<readonly Note[]>;
}
