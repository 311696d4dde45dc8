/** One bound file, as the peer stores it. */
import type { FileForm } from './file-form.ts';
import type { FileVersion } from './regular-file.ts';

/** `table` is set where it was given, and else found by the file's name. */
export interface BoundFile extends FileVersion {
  readonly table: string | undefined;
  /** Absolute. */
  readonly path: string;
  /** How its bytes become columns; undefined for a CSV file whose header tells all. */
  readonly form?: FileForm;
  /** Of a snapshot: what it was made from, for people, and how many rows were left out for want of consent. */
  readonly origin?: string;
  readonly leftOut?: number;
}
