/** What of the ZFS provider only the storage lab can show. */
@NullMarked
package io.tidemark.provider.zfs;

import org.jspecify.annotations.NullMarked;
