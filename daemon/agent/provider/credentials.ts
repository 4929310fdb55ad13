import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "#base/app-error.ts";
import { writeFileAtomic } from "#platform/atomic-file.ts";
import { makeFolder } from "#platform/make-folder.ts";

const credentialSchema = z.looseObject({
	api_key: z.string().min(1).nullish(),
	auth_token: z.string().min(1).nullish(),
});
/** A key, or a bearer; members of a newer version are kept as they are. */
export type Credential = z.infer<typeof credentialSchema>;

/** Secrets of the providers that have none of their own: one file each, readable by this user only. */
export interface CredentialStore {
	/** Null when there is none. @throws AppError CONFIG_INVALID when the file is broken or others can read it. */
	read(provider: string): Credential | null;
	/** Replaces it whole. @throws AppError HOME_NOT_WRITABLE. */
	write(provider: string, credential: Credential): void;
	/** False when there was none. */
	remove(provider: string): boolean;
}

/** Keeps secrets below `<home>/credentials`; read anew each time, so that a change counts at once. */
export function createCredentialStore(home: string): CredentialStore {
	const folder = join(home, "credentials");
	const fileOf = (provider: string): string =>
		join(folder, `${provider.replaceAll(/[^a-zA-Z0-9_-]/g, "_")}.json`);

	return {
		read(provider) {
			const file = fileOf(provider);
			const stat = statSync(file, { throwIfNoEntry: false });
			if (stat === undefined) return null;
			if ((stat.mode & 0o077) !== 0) {
				throw new AppError("CONFIG_INVALID", `${file}: others may read it. Run chmod 600 on it.`, {
					data: { file },
				});
			}
			try {
				return credentialSchema.parse(JSON.parse(readFileSync(file, "utf8")));
			} catch {
				// Without the cause: it repeats what the file holds.
				throw new AppError("CONFIG_INVALID", `${file}: not as expected. Log in again.`, { data: { file } });
			}
		},
		write(provider, credential) {
			const file = fileOf(provider);
			try {
				makeFolder(folder);
				writeFileAtomic(file, `${JSON.stringify(credential, null, "\t")}\n`);
			} catch (error) {
				const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
				throw new AppError("HOME_NOT_WRITABLE", `${file} cannot be written (${code}).`, { cause: error });
			}
		},
		remove(provider) {
			const file = fileOf(provider);
			const there = statSync(file, { throwIfNoEntry: false }) !== undefined;
			rmSync(file, { force: true });
			return there;
		},
	};
}
