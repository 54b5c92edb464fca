/** Subvolumes of Btrfs as volumes: their snapshots are trees of files. */
@NullMarked
package io.tidemark.provider.btrfs;

import org.jspecify.annotations.NullMarked;
