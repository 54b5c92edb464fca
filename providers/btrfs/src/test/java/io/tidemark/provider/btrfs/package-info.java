/** Tests of subvolumes as volumes. */
@NullMarked
package io.tidemark.provider.btrfs;

import org.jspecify.annotations.NullMarked;
