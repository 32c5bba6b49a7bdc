/** What can be said of a store's file without opening it, whatever state it is in. */
import { accessSync, closeSync, constants, openSync, readSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { applicationId, formatVersion } from './schema.ts';

export interface FileFacts {
  readonly exists: boolean;
  /** Of the file, and of its write-ahead log. */
  readonly bytes: number;
  readonly logBytes: number;
  readonly readable: boolean;
  readonly writable: boolean;
  /** The folder must be: the log lies beside the file. */
  readonly folderWritable: boolean;
  readonly kind: 'a store' | 'empty' | 'a newer store' | 'another database' | 'no database' | 'no file';
  /** As the header has it: `wal` while it is a store in use, `delete` for a backup. */
  readonly journalMode: 'wal' | 'delete';
  /** Bytes of the disk that this user may still fill. */
  readonly freeBytes: number;
  /** Whether the folder is on a file system of the network, where SQLite’s locks cannot be relied on. */
  readonly isNetworked: boolean;
}

/** https://man7.org/linux/man-pages/man2/statfs.2.html: NFS, SMB, SMB2, CIFS, AFS, 9P, Ceph. */
const networked: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x5346414f, 0x01021997, 0x00c36400,
]);

/** Where the header has what (https://www.sqlite.org/fileformat2.html#the_database_header). */
const header = { bytes: 100, writeVersion: 18, userVersion: 60, applicationId: 68 };

export function inspectFile(file: string): FileFacts {
  const folder = dirname(file);
  const stats = statSync(file, { throwIfNoEntry: false });
  const readable = may(file, constants.R_OK);
  const isFile = stats?.isFile() ?? true;
  const bytes = readable && isFile ? readHeader(file) : new DataView(new ArrayBuffer(0));
  const disk = statfs(folder);
  return {
    exists: stats !== undefined,
    bytes: stats?.size ?? 0,
    logBytes: statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    readable,
    writable: may(file, constants.W_OK),
    folderWritable: may(folder, constants.W_OK),
    kind: isFile ? kindOf(bytes) : 'no file',
    journalMode: bytes.byteLength > header.writeVersion && bytes.getUint8(header.writeVersion) === 2 ? 'wal' : 'delete',
    freeBytes: disk.bavail * disk.bsize,
    isNetworked: process.platform === 'linux' && networked.has(disk.type),
  };
}

/** Whether a file is a store that no log belongs to: what `backup` makes, and opening it for writing changes. */
export function isBackup(file: string): boolean {
  const { kind, journalMode } = inspectFile(file);
  return kind === 'a store' && journalMode === 'delete';
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function readHeader(file: string): DataView {
  const bytes = new Uint8Array(header.bytes);
  const descriptor = openSync(file, 'r');
  try {
    return new DataView(bytes.buffer, 0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function kindOf(bytes: DataView): FileFacts['kind'] {
  if (bytes.byteLength === 0) return 'empty';
  const magic = Buffer.from(bytes.buffer, 0, 15).toString('latin1');
  if (bytes.byteLength < header.bytes || magic !== 'SQLite format 3') return 'no database';
  if (bytes.getUint32(header.applicationId) !== applicationId) return 'another database';
  return bytes.getUint32(header.userVersion) > formatVersion ? 'a newer store' : 'a store';
}

function statfs(folder: string): { readonly bavail: number; readonly bsize: number; readonly type: number } {
  try {
    return statfsSync(folder);
  } catch {
    return { bavail: 0, bsize: 0, type: 0 };
  }
}
