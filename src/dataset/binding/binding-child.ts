/**
 * Main module of the binding child: it reads one table from the site's own sources and writes one file. It may reach databases, and so no study's SELECT ever
 * runs in it; whatever it puts down on the way lies in its own folder, and goes with it.
 */
import { serveParent } from '../../sandbox/index.ts';
import { openFileDatabase } from '../database.ts';
import { writeSnapshot } from '../sources/snapshot.ts';
import type { SnapshotOrder } from './order.ts';

process.umask(0o077);

serveParent({
  snapshot: async (header) => {
    // The parent is the same code in the same version: the header is a SnapshotOrder.
    return { header: await writeSnapshot(await openFileDatabase(process.cwd(), { spills: true }), header as SnapshotOrder) };
  },
});
