/** A conversation belongs to whoever is named its owner; nobody named, to the sender (blank counts as not named). */
export function ownerOf(input: { sender_id: string; owner_id?: string | undefined }): string {
	const named = input.owner_id?.trim();
	return named === undefined || named === "" ? input.sender_id : named;
}
