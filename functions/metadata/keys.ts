/** A key of the table. */
export interface Key {
  readonly place: string;
  readonly name: string;
}

/** DynamoDB's limits on keys, in bytes. */
const maxPlaceBytes = 2048;
const maxNameBytes = 1024;

const encoder = new TextEncoder();

function keyOf(place: string | undefined, name: string): Key | undefined {
  const fits = place !== undefined && name !== '' && encoder.encode(name).byteLength <= maxNameBytes;
  return fits ? { place, name } : undefined;
}

/**
 * The partition of one folder's files; undefined where it is too long for DynamoDB, and so without files. A
 * storage's id has no line feed: it is a URL.
 */
export function filesPlace(storageId: string, folder: string): string | undefined {
  const place = `files\n${storageId}\n${folder}`;
  return encoder.encode(place).byteLength <= maxPlaceBytes ? place : undefined;
}

/** The partition that lists the folders of a storage. */
export function foldersPlace(storageId: string): string {
  return `folders\n${storageId}`;
}

/** The key of a file's time; undefined for a path that is none or too long for DynamoDB. */
export function fileKey(storageId: string, path: string): Key | undefined {
  const folder = folderOf(path);
  return folder === undefined
    ? undefined
    : keyOf(filesPlace(storageId, folder), path.slice(path.lastIndexOf('/') + 1));
}

/** The key of a folder in the list of folders; undefined as for {@link fileKey}. */
export function folderKey(storageId: string, path: string): Key | undefined {
  const folder = folderOf(path);
  return folder === undefined ? undefined : keyOf(foldersPlace(storageId), folder);
}

/** The folder of a file: `/` for `/name`. */
function folderOf(path: string): string | undefined {
  return path.startsWith('/') ? path.slice(0, path.lastIndexOf('/')) || '/' : undefined;
}
