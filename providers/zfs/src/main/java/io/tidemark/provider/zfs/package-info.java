/** Volumes of ZFS as volumes, by its own programs and, for the cut, its library. */
@NullMarked
package io.tidemark.provider.zfs;

import org.jspecify.annotations.NullMarked;
